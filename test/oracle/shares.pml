/*
 * Writing over a quorum, share by share, as a Promela model: what was acknowledged stays readable
 * when attempt after attempt dies.
 *
 * Written from the text of the rules and from nobody's code, as quorum.pml, whose head tells the
 * rules, and whose words are used here. There a server is one register and a version is read where
 * it is seen; here a server has a place for each of N shares, and a version is read from K different
 * shares. So a write may spare what is there: it goes into a free place, beside the shares of
 * others, and still tests the whole server.
 *
 * THE WORLD. S servers, W a quorum, B = S - W + 1. At the start all servers but the last EMPTY ones
 * hold version 0, server i share i, and version 0 is acknowledged. One writer at a time, ATTEMPTS
 * one after the other, each with a map of its own, made server by server; some may stay silent. An
 * attempt may end anywhere, and what it had sent may still arrive, at any time, or never. One share
 * to a server, and none twice.
 *
 * THE RULES are those of quorum.pml with parents, where for a server with several shares
 *   - all of its versions have to be in line(b) or dead for c to be written there;
 *   - it is blocked for v when it showed something newer than v and nothing that contains v;
 * and one more:
 *   - First k beside. Until K different shares of c have landed and were answered, c is written
 *     into free places only. Each such write is one that counts for the quorum; what is there stays
 *     readable until c is.
 *
 * THE PROMISES, asserted.
 *   - Chain, and no lost change for writers, as in quorum.pml.
 *   - Readable: at any time K different shares are there of some one version that contains what was
 *     accepted.
 *
 * -DS= -DK= -DN= -DW= -DATTEMPTS= -DHASHES=1|2 -DEMPTY=
 *
 * A MISTAKE, one of these, must be found:
 *   -DNOT_BESIDE      c overwrites from its first share on
 *   -DSENT_IS_ENOUGH  … once K of its shares are sent
 */
#define B (S - W + 1)
#define VERSIONS (1 + ATTEMPTS)

/* A place: nothing, or a version (+ 1). A request, or a win: none, or of which share (+ 1). */
#define NONE 0

typedef Server {
  byte place[N];
  byte known[N];  /* the places as the writer saw them last */
  bool isHeard;
  byte won;
  byte request[VERSIONS]
}

typedef Version {
  byte order;  /* its number and its hash; 0: does not exist, or version 0 */
  byte line;   /* the set of what it contains */
  byte landed  /* on how many servers, each with another share */
}

#define MAPPING 1
#define WRITING 2

Server server[S];
Version version[VERSIONS];
byte phase = MAPPING;
byte attempt = 1;
byte before;   /* what was accepted when the map began */
byte base;
byte accepted;

/* The step that was chosen; 0 between steps. */
byte step, s, n, c, b, hash;

/* Not part of a state: only used within one step. */
hidden byte i, j, m, at, x, y, z;
hidden byte count, highest;
hidden byte wins; /* set of servers */
hidden byte winsCount;
hidden byte set;
hidden byte isDead, isAllowed, isChanged, isBlocked, isNewer, isRight;

#define AMONG(v, set) ((((set) >> (v)) & 1) == 1)
#define CONTAINS(v, older) AMONG(older, version[v].line)
#define NEWER(v, than) \
  (version[v].order > version[than].order || \
   (version[v].order == version[than].order && (v) > (than)))

/* Does server j block x? */
inline judgeBlocked() {
  isNewer = false;
  isBlocked = server[j].isHeard;
  for (m : 0 .. N - 1) {
    if
    :: server[j].known[m] != NONE ->
       z = server[j].known[m] - 1;
       isNewer = isNewer || NEWER(z, x);
       isBlocked = isBlocked && !CONTAINS(z, x)
    :: else -> skip
    fi
  }
  isBlocked = isBlocked && isNewer
}

/* Is y dead for c, built on b, given `wins`? */
inline judge() {
  isDead = NEWER(c, y);
  if
  :: isDead && winsCount < B ->
     for (x : 0 .. VERSIONS - 1) {
       if
       :: CONTAINS(y, x) && !CONTAINS(b, x) ->
          count = 0;
          for (j : 0 .. S - 1) {
            judgeBlocked();
            if
            :: AMONG(j, wins) || isBlocked -> skip
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
  :: else -> skip
  fi
}

/* Is all that server i showed in line(b), or dead? */
inline allow() {
  isAllowed = server[i].isHeard;
  for (at : 0 .. N - 1) {
    if
    :: server[i].known[at] != NONE && !CONTAINS(b, server[i].known[at] - 1) ->
       y = server[i].known[at] - 1;
       judge();
       isAllowed = isAllowed && isDead
    :: else -> skip
    fi
  }
}

/* The servers that c has won, into `wins`. */
inline tally() {
  wins = 0; winsCount = 0;
  for (i : 0 .. S - 1) {
    if
    :: server[i].won != NONE ->
       wins = wins | (1 << i); winsCount++
    :: else -> skip
    fi
  }
}

/* How many servers can c, built on b, win by what the map says? Into winsCount. */
inline plan() {
  wins = 0; winsCount = 0;
  for (i : 0 .. S - 1) {
    isAllowed = server[i].isHeard;
    for (at : 0 .. N - 1) {
      if
      :: server[i].known[at] != NONE ->
         isAllowed = isAllowed && CONTAINS(b, server[i].known[at] - 1)
      :: else -> skip
      fi
    }
    if
    :: isAllowed -> wins = wins | (1 << i)
    :: else -> skip
    fi
  }
  for (i : 0 .. S - 1) {
    winsCount = winsCount + AMONG(i, wins)
  }
  isChanged = true;
  do
  :: !isChanged -> break
  :: else ->
     isChanged = false;
     for (i : 0 .. S - 1) {
       if
       :: !AMONG(i, wins) ->
          allow();
          if
          :: isAllowed -> wins = wins | (1 << i); winsCount++; isChanged = true
          :: else -> skip
          fi
       :: else -> skip
       fi
     }
  od
}

inline read() {
  if
  :: phase == WRITING -> end()
  :: else -> skip
  fi;
  count = 0;
  for (i : 0 .. S - 1) {
    count = count + server[i].isHeard
  }
  if
  :: count == 0 -> before = accepted
  :: else -> skip
  fi;
  server[s].isHeard = true;
  for (at : 0 .. N - 1) {
    server[s].known[at] = server[s].place[at]
  }
}

inline choose() {
  set = 0;
  highest = 0;
  for (i : 0 .. S - 1) {
    for (at : 0 .. N - 1) {
      if
      :: server[i].known[at] != NONE ->
         y = server[i].known[at] - 1;
         if
         :: y == b -> set = set | (1 << at)
         :: else -> skip
         fi;
         y = version[y].order / HASHES;
         if
         :: y > highest -> highest = y
         :: else -> skip
         fi
      :: else -> skip
      fi
    }
  }
  count = 0;
  for (at : 0 .. N - 1) {
    count = count + AMONG(at, set)
  }
  if
  :: count >= K ->
     c = attempt;
     version[c].order = (highest + 1) * HASHES + hash;
     version[c].line = version[b].line | (1 << c);
     plan();
     if
     :: winsCount >= W ->
        assert(CONTAINS(b, before)); /* no lost change */
        phase = WRITING;
        before = 0;
        base = b
     :: else ->
        version[c].order = 0;
        version[c].line = 0
     fi
  :: else -> skip
  fi
}

/* Share n of the attempt, to server s, if it may be sent there. */
inline send() {
  c = attempt;
  b = base;
  count = 0; /* of its shares, sent */
  isRight = true; /* is it the only one of its number? */
  for (i : 0 .. S - 1) {
    isRight = isRight && server[i].request[c] != n + 1 && server[i].won != n + 1;
    count = count + (server[i].request[c] != NONE)
  }
  tally();
#ifdef SENT_IS_ENOUGH
  isRight = isRight && (winsCount + count >= K || server[s].known[n] == NONE);
#elif !defined(NOT_BESIDE)
  isRight = isRight && (winsCount >= K || server[s].known[n] == NONE);
#endif
  if
  :: isRight ->
     i = s;
     allow();
     if
     :: isAllowed -> server[s].request[c] = n + 1
     :: else -> skip
     fi
  :: else -> skip
  fi
}

/* The request of c at server s arrives. One of an ended attempt that can not land is gone. */
inline arrive() {
  n = server[s].request[c] - 1;
  server[s].request[c] = NONE;
  isRight = true; /* does its test hold? */
  if
  :: c == attempt ->
     for (m : 0 .. N - 1) {
       isRight = isRight && server[s].known[m] == server[s].place[m];
       server[s].known[m] = server[s].place[m]
     }
  :: else -> skip
  fi;
  if
  :: isRight ->
     server[s].place[n] = c + 1;
     for (x : 1 .. VERSIONS - 1) {
       if
       :: x != attempt -> server[s].request[x] = NONE
       :: else -> skip
       fi
     }
     if
     :: c == attempt ->
        server[s].won = n + 1;
        for (m : 0 .. N - 1) {
          server[s].known[m] = NONE
        }
     :: else -> skip
     fi;
     version[c].landed++;
     if
     :: version[c].landed == W ->
        assert(CONTAINS(c, accepted) || CONTAINS(accepted, c)); /* chain */
        if
        :: CONTAINS(c, accepted) -> accepted = c
        :: else -> skip
        fi
     :: else -> skip
     fi
  :: else -> skip
  fi
}

inline end() {
  for (i : 0 .. S - 1) {
    isRight = true; /* can its request still land? */
    for (m : 0 .. N - 1) {
      isRight = isRight && server[i].known[m] == server[i].place[m];
      server[i].known[m] = NONE
    }
    if
    :: !isRight -> server[i].request[attempt] = NONE
    :: else -> skip
    fi;
    server[i].isHeard = false;
    server[i].won = NONE
  }
  attempt++;
  phase = MAPPING;
  base = 0
}

/* Is what was accepted readable? */
inline checkReadable() {
  isRight = false;
  for (x : 0 .. VERSIONS - 1) {
    if
    :: CONTAINS(x, accepted) ->
       set = 0;
       for (i : 0 .. S - 1) {
         for (m : 0 .. N - 1) {
           if
           :: server[i].place[m] == x + 1 -> set = set | (1 << m)
           :: else -> skip
           fi
         }
       }
       count = 0;
       for (m : 0 .. N - 1) {
         count = count + AMONG(m, set)
       }
       isRight = isRight || count >= K
    :: else -> skip
    fi
  }
  assert(isRight) /* readable */
}

#define READ   1
#define CHOOSE 2
#define SEND   3
#define ARRIVE 4

#define OF_SERVER(t) \
  :: (phase == MAPPING && !server[t].isHeard) || (phase == WRITING && attempt < ATTEMPTS) -> \
     step = READ; s = t \
  :: phase == WRITING && server[t].isHeard && \
     server[t].won == NONE && server[t].request[attempt] == NONE -> \
     step = SEND; s = t; select(n : 0 .. N - 1) \
  :: server[t].request[1] != NONE -> step = ARRIVE; s = t; c = 1 \
  OF_SECOND(t) OF_THIRD(t) OF_FOURTH(t)

#if ATTEMPTS > 1
#define OF_SECOND(t) :: server[t].request[2] != NONE -> step = ARRIVE; s = t; c = 2
#else
#define OF_SECOND(t)
#endif
#if ATTEMPTS > 2
#define OF_THIRD(t) :: server[t].request[3] != NONE -> step = ARRIVE; s = t; c = 3
#else
#define OF_THIRD(t)
#endif
#if ATTEMPTS > 3
#define OF_FOURTH(t) :: server[t].request[4] != NONE -> step = ARRIVE; s = t; c = 4
#else
#define OF_FOURTH(t)
#endif

active proctype world() {
  d_step {
    version[0].line = 1;
    for (i : 0 .. S - EMPTY - 1) {
      server[i].place[i] = 1
    }
  }
end_of_all:
  do
  :: atomic {
    if
    :: phase == MAPPING ->
       step = CHOOSE; select(b : 0 .. attempt - 1); select(hash : 0 .. HASHES - 1)
    OF_SERVER(0)
    OF_SERVER(1)
#if S > 2
    OF_SERVER(2)
#endif
#if S > 3
    OF_SERVER(3)
#endif
#if S > 4
    OF_SERVER(4)
#endif
    fi;
    d_step {
      if
      :: step == READ -> read()
      :: step == CHOOSE -> choose()
      :: step == SEND -> send()
      :: step == ARRIVE -> arrive(); checkReadable()
      fi;
      step = 0; s = 0; n = 0; c = 0; b = 0; hash = 0
    }
  }
  od
}
