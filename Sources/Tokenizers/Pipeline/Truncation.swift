/// How many ids of each text to keep so that both fit in `room`: the longer gives way first, and when neither fits
/// beside the other each gets half, the longer the odd one.
func longestFirst(_ first: Int, _ second: Int, room: Int) -> (first: Int, second: Int) {
  guard first + second > room else { return (first, second) }
  let shorter = min(first, second)
  let kept = shorter > room / 2 ? (room / 2, room - room / 2) : (shorter, room - shorter)
  return first > second ? (kept.1, kept.0) : kept
}
