/*
 * A servermap update for writing, as a Promela model: an oracle for the counts of `npm run prove`.
 *
 * Written from the text of the protocol (Tahoe's "mapupdate": mode WRITE, the boundary walk; the
 * four changes that this project makes to its done rule) and from nobody's code. It shares not one
 * line with the checker or with the statechart, and it is run by somebody else's model checker.
 *
 * -DS=servers -DK=shares that are enough, and servers without shares that make a boundary
 * -DRULE=0 ours, 1 Tahoe's since 2015, 2 Tahoe's when ticket 2034 was filed
 *
 * -DCOUNT=0 leaves an end where it is. With 1, every done state is followed by two more states and
 * two transitions, and every state that is done while a share is being verified by one more state
 * and two transitions, back to itself: so two runs count both.
 *
 * All servers have been asked. One delivery at a time: a server answers that it has shares, or that
 * it has none, or fails; its share proves good, or not. After each delivery: is the update done?
 * When it is, nothing is delivered any more.
 */
#define ASKED     0
#define VERIFYING 1
#define GOOD      2
#define EMPTY     3
#define FAILED    4

byte server[S];
bool done;
bool bad; /* done while a share is being verified */

/* Not part of a state: only used within one step. */
hidden byte at;
hidden byte zeros;       /* servers without shares since the last one with shares */
hidden byte good;
hidden byte verifying;
hidden byte unanswered;
hidden byte oneSeen;     /* somebody with shares was passed */
hidden byte boundary;
hidden byte unknownLeft; /* somebody left of the boundary is not settled */

/* From left to right, until K servers without shares follow the last one with shares. */
inline walk() {
  zeros = 0; oneSeen = false; boundary = false; unknownLeft = false; at = 0;
  do
  :: at == S || boundary -> break
  :: else ->
     if
     :: server[at] == GOOD || (RULE == 2 && server[at] == VERIFYING) ->
        oneSeen = true; zeros = 0
     :: server[at] == EMPTY ->
        if
        :: oneSeen -> zeros++; boundary = (zeros == K)
        :: else -> skip
        fi
     :: server[at] == FAILED -> skip /* says nothing either way */
     :: else -> unknownLeft = true
     fi;
     at++
  od
}

inline tally() {
  good = 0; verifying = 0; unanswered = 0; at = 0;
  do
  :: at == S -> break
  :: else ->
     if
     :: server[at] == GOOD -> good++
     :: server[at] == VERIFYING -> verifying++
     :: server[at] == ASKED -> unanswered++
     :: else -> skip
     fi;
     at++
  od
}

inline check() {
  tally();
  walk();
  if
  :: unanswered == 0 && verifying == 0 -> done = true
  :: good >= K && boundary && !unknownLeft && (RULE != 0 || verifying == 0) -> done = true
  :: else -> skip
  fi;
  bad = (done && verifying > 0);
  at = 0; zeros = 0; good = 0; verifying = 0; unanswered = 0;
  oneSeen = false; boundary = false; unknownLeft = false
}

#define DELIVERY(i, from, to) :: !done && server[i] == from -> server[i] = to

#define SERVER(i) \
  DELIVERY(i, ASKED, VERIFYING) \
  DELIVERY(i, ASKED, EMPTY) \
  DELIVERY(i, ASKED, FAILED) \
  DELIVERY(i, VERIFYING, GOOD) \
  DELIVERY(i, VERIFYING, FAILED)

active proctype network() {
end:
  do
#if COUNT == 1
  :: done -> break
  :: bad -> skip
#endif
  :: atomic {
    if
    SERVER(0)
#if S > 1
    SERVER(1)
#endif
#if S > 2
    SERVER(2)
#endif
#if S > 3
    SERVER(3)
#endif
#if S > 4
    SERVER(4)
#endif
#if S > 5
    SERVER(5)
#endif
#if S > 6
    SERVER(6)
#endif
#if S > 7
    SERVER(7)
#endif
#if S > 8
    SERVER(8)
#endif
#if S > 9
    SERVER(9)
#endif
#if S > 10
    SERVER(10)
#endif
    fi;
    d_step { check() }
  }
  od
}
