/*
 * Writing over a quorum, as a Promela model: an oracle for the rules of who may build on what, and
 * who may overwrite what.
 *
 * Written from the text of the rules, which stands here in full, and from nobody's code. It shares
 * not one line with the kernels, the charts or the checker, and is run by somebody else's model
 * checker.
 *
 * THE WORLD. S servers. A version can be read from any K of them that hold it; W servers make a
 * quorum, 2W > S. B = S - W + 1 is the fewest servers that meet every quorum. A server is one
 * register: a write tests the whole server and replaces what is there, at once, if the test holds.
 * At the start every server holds version 0, and that one is acknowledged. There are WRITERS, each
 * with ATTEMPTS one after the other. An attempt
 *   - makes a map, server by server, in any order, others writing meanwhile; a server may stay
 *     silent, for good or until it answers a request;
 *   - chooses a base in its map and makes a version out of it, its child;
 *   - writes: its requests arrive in any order, at any time, or never, also after it has ended;
 *   - ends when nothing is under way and nothing more may be sent, or earlier, wherever it likes:
 *     when its writer begins the next. A writer dies when nothing of it arrives any more.
 * Whether a writer knew that it had been acknowledged makes no difference to anybody else. An
 * attempt that is refused for want of a base is not modelled: it is an attempt fewer.
 *
 * Versions are in an order: by a number, which is one more than the highest in the map of their
 * writer, then by a hash, which is any of HASHES, then by who wrote them. v contains w if v is w,
 * or v's parent contains w. line(b) is what b is known to contain: with PARENTS=1 all that it
 * contains, with PARENTS=0 only b itself.
 *
 * THE RULES, for a writer of c, built on b:
 *   - c has won a server when c's write landed there and the answer came.
 *   - D1. What is older than c is dead, for ever on fewer than W servers, when c has won B servers.
 *   - D2 (PARENTS=1). y, older than c, is dead when y, and each of its ancestors outside of
 *     line(b), may have been accepted by fewer than W servers. For a version v those are the
 *     servers that c has not won and that are not blocked. A server is blocked for v when it showed
 *     something newer than v that does not contain v.
 *   - Base. One that K servers of the map showed, and whose plan can succeed: take as won all
 *     servers that showed something in line(b), and then, again and again, those that showed
 *     something dead; the plan succeeds with W servers. (Of several such bases a writer would take
 *     the newest. It must not matter, so here it takes any.)
 *   - Write. Where c's writer last saw something in line(b), at once. Elsewhere only when what it
 *     last saw there is dead. A test that fails shows what is there instead, and the rule is asked
 *     again. What is newer than c is never overwritten.
 *   - Read. From B servers or more: a version b that K servers showed, if B servers showed
 *     something in line(b); or, with parents, if no version outside of line(b) that is seen, or an
 *     ancestor of one seen, can reach W with the servers that showed something that contains it and
 *     those that were not heard. Whatever a reader would be given from a map is checked at every
 *     step of every map, so readers need no steps of their own.
 *
 * THE PROMISES, asserted. A version is accepted when it has landed on W servers, whether or not its
 * writer knows.
 *   - Chain: of two accepted versions one contains the other.
 *   - No lost change: what was accepted before a map began is contained in the base taken from that
 *     map, and in whatever a reader is given from it.
 * Of a chain the newest end is enough to remember: `accepted`.
 *
 * WHAT IS LEFT OUT, AND WHY NOTHING IS LOST BY IT. A request is sent as soon as it may be: being
 * late is in its arrival. One request to a server at a time: a server never holds the same thing
 * again, so the one before can have no effect any more. A lost request is one that never arrives.
 * An answer comes at once, for to know sooner only allows more; with LATE=1 the answer of a write
 * that landed comes at any time or never, as a check of this very sentence. The servers are sorted
 * after every step: they have no names. Nor have writers, so they begin in their order; of two
 * first attempts with one number the later to begin is then the newer if HASHES=1, either if 2.
 *
 * -DS= -DK= -DW= -DWRITERS= -DATTEMPTS= -DPARENTS=0|1 -DHASHES=1|2|.. -DLATE=0|1
 *
 * A MISTAKE, one of these, must be found:
 *   -DONE_FEWER          B - 1 servers instead of B
 *   -DNO_ORDER           D1 also for what is newer than c
 *   -DNEWER_OVERWRITTEN  what is newer than c is overwritten as if it were in line(b)
 *   -DBEFORE_B           what is older than c is dead from the start
 *   -DANY_BLOCKS         in D2 a server is blocked by anything that does not contain v
 *   -DNO_ANCESTORS       D2 asks for y only, not for y's ancestors
 *   -DOWN_BASE           an attempt builds on its writer's last one without a plan that succeeds
 *   -DREADER_OF_ANY      a reader is given the newest version that B servers showed
 */
#ifdef ONE_FEWER
#define B (S - W)
#else
#define B (S - W + 1)
#endif

#define VERSIONS (1 + WRITERS * ATTEMPTS)

/* What a writer knows of a server: nothing, a version (+ 1), or that it has won it. */
#define UNHEARD 0
#define WON (VERSIONS + 1)
/* A request: none, the version that it tests for (+ 1), landed with its answer under way, or one
 * that tests for nothing there, which only shows what is there. */
#define NONE 0
#define LANDED (VERSIONS + 1)
#define BLIND (VERSIONS + 2)

typedef Server {
  byte holds;
  byte known[WRITERS];
  byte request[VERSIONS]
}

typedef Version {
  byte order;  /* its number and its hash; 0: does not exist, or version 0 */
  byte line;   /* the set of what it really contains */
  byte landed  /* on how many servers so far */
}

#define IDLE    0
#define MAPPING 1
#define WRITING 2

typedef Writer {
  byte phase;
  byte ended;   /* attempts */
  byte before;  /* what was accepted when its map began */
  byte base
}

Server server[S];
Version version[VERSIONS];
Writer writer[WRITERS];
byte accepted;

/* The step that was chosen; 0 between steps. */
byte step, w, s, c, b, hash;

/* Not part of a state: only used within one step. */
hidden byte i, j, x, y, z;
hidden byte count, highest;
hidden byte wins;      /* set of servers */
hidden byte winsCount;
hidden byte isDead, isAllowed, isChanged, isRight;
hidden byte from, swap;

#define AMONG(v, set) ((((set) >> (v)) & 1) == 1)
#define CONTAINS(v, older) AMONG(older, version[v].line)
#define NEWER(v, than) \
  (version[v].order > version[than].order || \
   (version[v].order == version[than].order && (v) > (than)))
#if PARENTS == 1
#define IN_LINE(v, base) CONTAINS(base, v)
#else
#define IN_LINE(v, base) ((v) == (base))
#endif
#define ATTEMPT_OF(w) (1 + (w) * ATTEMPTS + writer[w].ended)
#define WRITER_OF(v) (((v) - 1) / ATTEMPTS)
#define IS_LIVE(v) (writer[WRITER_OF(v)].phase == WRITING && ATTEMPT_OF(WRITER_OF(v)) == (v))
#define IS_HEARD(known) ((known) != UNHEARD && (known) != WON)

#ifdef ANY_BLOCKS
#define BLOCKS(z, v) (!CONTAINS(z, v))
#else
#define BLOCKS(z, v) (NEWER(z, v) && !CONTAINS(z, v))
#endif

/* Is y dead for c, built on b, given `wins`? Uses x, j, count. */
inline judge(y) {
  isDead = false;
  if
#ifdef NO_ORDER
  :: winsCount >= B -> isDead = true
#endif
  :: NEWER(y, c) -> skip
#ifdef BEFORE_B
  :: else -> isDead = true
#else
  :: else ->
     if
     :: winsCount >= B -> isDead = true
#if PARENTS == 1
     :: else ->
        isDead = true;
        for (x : 0 .. VERSIONS - 1) {
          if
#ifdef NO_ANCESTORS
          :: x == (y) && !IN_LINE(x, b) ->
#else
          :: CONTAINS(y, x) && !IN_LINE(x, b) ->
#endif
             count = 0;
             for (j : 0 .. S - 1) {
               if
               :: AMONG(j, wins) -> skip
               :: !AMONG(j, wins) && IS_HEARD(server[j].known[w]) &&
                  BLOCKS(server[j].known[w] - 1, x) -> skip
               :: else -> count++
               fi
             }
             if
             :: count >= W -> isDead = false
             :: else -> skip
             fi
          :: else -> skip
          fi
        }
#else
     :: else -> skip
#endif
     fi
#endif
  fi
}

/* May c overwrite y? */
inline allow(y) {
  if
  :: IN_LINE(y, b) -> isAllowed = true
#ifdef NEWER_OVERWRITTEN
  :: NEWER(y, c) -> isAllowed = true
#endif
  :: else -> judge(y); isAllowed = isDead
  fi
}

/* All requests of w's attempt c that may be sent. */
inline send() {
  b = writer[w].base;
  wins = 0; winsCount = 0;
  for (i : 0 .. S - 1) {
    if
    :: server[i].known[w] == WON -> wins = wins | (1 << i); winsCount++
    :: else -> skip
    fi
  }
  for (i : 0 .. S - 1) {
    if
    :: IS_HEARD(server[i].known[w]) && server[i].request[c] == NONE ->
       y = server[i].known[w] - 1;
       allow(y);
       if
       :: isAllowed -> server[i].request[c] = y + 1
       :: else -> skip
       fi
    :: else -> skip
    fi
  }
}

/* How many servers can c, built on b, win by what w's map says? Into winsCount. */
inline plan() {
  wins = 0; winsCount = 0;
  for (i : 0 .. S - 1) {
    if
    :: IS_HEARD(server[i].known[w]) && IN_LINE(server[i].known[w] - 1, b) ->
       wins = wins | (1 << i); winsCount++
    :: else -> skip
    fi
  }
  isChanged = true;
  do
  :: !isChanged -> break
  :: else ->
     isChanged = false;
     for (i : 0 .. S - 1) {
       if
       :: IS_HEARD(server[i].known[w]) && !AMONG(i, wins) ->
          y = server[i].known[w] - 1;
          judge(y);
          if
          :: isDead -> wins = wins | (1 << i); winsCount++; isChanged = true
          :: else -> skip
          fi
       :: else -> skip
       fi
     }
  od
}

/* How many servers of w's map show b? Into count. */
inline countShown() {
  count = 0;
  for (i : 0 .. S - 1) {
    if
    :: server[i].known[w] == b + 1 -> count++
    :: else -> skip
    fi
  }
}

/* Whatever a reader may be given from w's map contains what was accepted before it began. */
inline checkReader() {
  for (b : 0 .. VERSIONS - 1) {
    countShown();
    if
    :: count >= K ->
       winsCount = 0; highest = 0;
       for (i : 0 .. S - 1) {
         if
         :: server[i].known[w] == UNHEARD -> highest++ /* unheard */
         :: IS_HEARD(server[i].known[w]) && IN_LINE(server[i].known[w] - 1, b) -> winsCount++
         :: else -> skip
         fi
       }
#ifdef READER_OF_ANY
       isRight = (S - highest >= B);
       for (i : 0 .. S - 1) {
         isRight = isRight && (server[i].known[w] == UNHEARD || !NEWER(server[i].known[w] - 1, b))
       }
#else
       isRight = (winsCount >= B);
#endif
#if PARENTS == 1 && !defined(READER_OF_ANY)
       if
       :: !isRight && S - highest >= B ->
          isRight = true;
          for (x : 0 .. VERSIONS - 1) {
            count = 0;
            for (i : 0 .. S - 1) {
              if
              :: IS_HEARD(server[i].known[w]) && CONTAINS(server[i].known[w] - 1, x) -> count++
              :: else -> skip
              fi
            }
            if
            :: count > 0 && !IN_LINE(x, b) && count + highest >= W -> isRight = false
            :: else -> skip
            fi
          }
       :: else -> skip
       fi;
#endif
       assert(!isRight || CONTAINS(b, writer[w].before)) /* no lost change: a reader */
    :: else -> skip
    fi
  }
}

inline choose() {
  countShown();
  if
  :: count >= K ->
     c = ATTEMPT_OF(w);
     highest = 0;
     for (i : 0 .. S - 1) {
       if
       :: server[i].known[w] != UNHEARD ->
          y = version[server[i].known[w] - 1].order / HASHES;
          if
          :: y > highest -> highest = y
          :: else -> skip
          fi
       :: else -> skip
       fi
     }
     version[c].order = (highest + 1) * HASHES + hash;
     version[c].line = version[b].line | (1 << c);
     plan();
     if
#ifdef OWN_BASE
     :: winsCount >= W || (b != 0 && b + 1 == c && WRITER_OF(b) == w) ->
#else
     :: winsCount >= W ->
#endif
        assert(CONTAINS(b, writer[w].before)); /* no lost change: a writer */
        writer[w].phase = WRITING;
        writer[w].before = 0;
        writer[w].base = b;
        for (i : 0 .. S - 1) {
          if
          :: server[i].known[w] == UNHEARD -> server[i].request[c] = BLIND
          :: else -> skip
          fi
        }
        send()
     :: else ->
        version[c].order = 0;
        version[c].line = 0
     fi
  :: else -> skip
  fi
}

/* The request of c at server s arrives. */
inline arrive() {
  w = WRITER_OF(c);
  if
  :: server[s].request[c] == server[s].holds + 1 ->
     server[s].holds = c;
     version[c].landed++;
     if
     :: version[c].landed == W ->
        assert(CONTAINS(c, accepted) || CONTAINS(accepted, c)); /* chain */
        if
        :: CONTAINS(c, accepted) -> accepted = c
        :: else -> skip
        fi
     :: else -> skip
     fi;
     if
#if LATE == 1
     :: IS_LIVE(c) -> server[s].request[c] = LANDED
#else
     :: IS_LIVE(c) ->
        server[s].request[c] = NONE;
        server[s].known[w] = WON;
        send()
#endif
     :: else -> server[s].request[c] = NONE
     fi
  :: else -> /* only of an attempt that goes on: see tidy() */
     server[s].request[c] = NONE;
     server[s].known[w] = server[s].holds + 1;
     send()
  fi
}

/* The attempt of w that writes, if any. */
inline end() {
  c = ATTEMPT_OF(w);
  writer[w].phase = IDLE;
  writer[w].ended++;
  writer[w].base = 0;
  for (i : 0 .. S - 1) {
    server[i].known[w] = UNHEARD;
    if
    :: server[i].request[c] == LANDED -> server[i].request[c] = NONE
    :: else -> skip
    fi
  }
}

#define EXCHANGE(a, b) swap = a; a = b; b = swap

/* Forgets what can not matter any more, and sorts the servers. */
inline tidy() {
  for (w : 0 .. WRITERS - 1) {
    if
    :: writer[w].phase == WRITING ->
       c = ATTEMPT_OF(w);
       count = 0;
       for (i : 0 .. S - 1) {
         count = count + (server[i].request[c] != NONE)
       }
       if
       :: count == 0 -> end()
       :: else -> skip
       fi
    :: else -> skip
    fi
  }
  for (x : 1 .. VERSIONS - 1) {
    if
    :: version[x].order != 0 && !IS_LIVE(x) ->
       count = 0; /* requests under way */
       for (i : 0 .. S - 1) {
         if
         :: server[i].request[x] != server[i].holds + 1 -> server[i].request[x] = NONE
         :: else -> count++
         fi
       }
       if
       :: count == 0 ->
          version[x].landed = 0;
          isRight = (x != accepted); /* to be forgotten */
          for (i : 0 .. S - 1) {
            isRight = isRight && server[i].holds != x;
            for (j : 0 .. WRITERS - 1) {
              isRight = isRight && server[i].known[j] != x + 1
            }
            for (j : 1 .. VERSIONS - 1) {
              isRight = isRight && server[i].request[j] != x + 1
            }
          }
          for (j : 0 .. WRITERS - 1) {
            isRight = isRight && writer[j].before != x
          }
          for (j : 1 .. VERSIONS - 1) {
            isRight = isRight && (j == x || !CONTAINS(j, x))
          }
          if
          :: isRight -> version[x].order = 0; version[x].line = 0
          :: else -> skip
          fi
       :: else -> skip
       fi
    :: else -> skip
    fi
  }
  for (i : 1 .. S - 1) {
    for (j : 1 .. S - i) {
      /* y: 1 if server j - 1 belongs after server j, 2 if before, 0 if alike so far */
      y = 0;
      if
      :: server[j - 1].holds > server[j].holds -> y = 1
      :: server[j - 1].holds < server[j].holds -> y = 2
      :: else -> skip
      fi;
      for (x : 0 .. WRITERS - 1) {
        if
        :: y == 0 && server[j - 1].known[x] > server[j].known[x] -> y = 1
        :: y == 0 && server[j - 1].known[x] < server[j].known[x] -> y = 2
        :: else -> skip
        fi
      }
      for (x : 1 .. VERSIONS - 1) {
        if
        :: y == 0 && server[j - 1].request[x] > server[j].request[x] -> y = 1
        :: y == 0 && server[j - 1].request[x] < server[j].request[x] -> y = 2
        :: else -> skip
        fi
      }
      if
      :: y == 1 ->
         EXCHANGE(server[j - 1].holds, server[j].holds);
         for (x : 0 .. WRITERS - 1) {
           EXCHANGE(server[j - 1].known[x], server[j].known[x])
         }
         for (x : 1 .. VERSIONS - 1) {
           EXCHANGE(server[j - 1].request[x], server[j].request[x])
         }
      :: else -> skip
      fi
    }
  }
}

#define READ   1
#define CHOOSE 2
#define ARRIVE 3
#define ANSWER 4

#define HAS_BEGUN(a) (writer[a].phase != IDLE || writer[a].ended > 0)
#define MAY_BEGIN(a) \
  ((writer[a].phase == IDLE && writer[a].ended < ATTEMPTS && (a == 0 || HAS_BEGUN(a - 1))) || \
   (writer[a].phase == WRITING && writer[a].ended + 1 < ATTEMPTS))

#define OF_MAP(a, t) \
  :: MAY_BEGIN(a) || (writer[a].phase == MAPPING && server[t].known[a] == UNHEARD) -> \
     step = READ; w = a; s = t \
  :: writer[a].phase == MAPPING && server[t].known[a] != UNHEARD -> \
     step = CHOOSE; w = a; b = server[t].known[a] - 1; select(hash : 0 .. HASHES - 1)

#define OF_REQUEST(v, t) \
  :: server[t].request[v] != NONE && server[t].request[v] != LANDED -> step = ARRIVE; c = v; s = t \
  :: server[t].request[v] == LANDED -> step = ANSWER; c = v; s = t

#define PER_SERVER(OF, a) \
  OF(a, 0) OF(a, 1) PER_SERVER_3(OF, a) PER_SERVER_4(OF, a) PER_SERVER_5(OF, a)
#if S > 2
#define PER_SERVER_3(OF, a) OF(a, 2)
#else
#define PER_SERVER_3(OF, a)
#endif
#if S > 3
#define PER_SERVER_4(OF, a) OF(a, 3)
#else
#define PER_SERVER_4(OF, a)
#endif
#if S > 4
#define PER_SERVER_5(OF, a) OF(a, 4)
#else
#define PER_SERVER_5(OF, a)
#endif

active proctype world() {
  d_step { version[0].line = 1; version[0].landed = 0 };
end_of_all:
  do
  :: atomic {
    if
    PER_SERVER(OF_MAP, 0)
#if WRITERS > 1
    PER_SERVER(OF_MAP, 1)
#endif
#if WRITERS > 2
    PER_SERVER(OF_MAP, 2)
#endif
    PER_SERVER(OF_REQUEST, 1)
#if VERSIONS > 2
    PER_SERVER(OF_REQUEST, 2)
#endif
#if VERSIONS > 3
    PER_SERVER(OF_REQUEST, 3)
#endif
#if VERSIONS > 4
    PER_SERVER(OF_REQUEST, 4)
#endif
#if VERSIONS > 5
    PER_SERVER(OF_REQUEST, 5)
#endif
#if VERSIONS > 6
    PER_SERVER(OF_REQUEST, 6)
#endif
    fi;
    d_step {
      if
      :: step == READ ->
         if
         :: writer[w].phase == WRITING -> end()
         :: else -> skip
         fi;
         if
         :: writer[w].phase == IDLE -> writer[w].phase = MAPPING; writer[w].before = accepted
         :: else -> skip
         fi;
         server[s].known[w] = server[s].holds + 1;
         checkReader()
      :: step == CHOOSE -> choose()
      :: step == ARRIVE -> arrive()
      :: step == ANSWER ->
         w = WRITER_OF(c);
         server[s].request[c] = NONE;
         server[s].known[w] = WON;
         send()
      fi;
      tidy();
      step = 0; w = 0; s = 0; c = 0; b = 0; hash = 0
    }
  }
  od
}
