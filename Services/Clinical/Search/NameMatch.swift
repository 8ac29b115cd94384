/// How well a name answers a question: what orders the candidates once they are in clear.
enum NameMatch {
    /// A word of the question, taken apart once for all candidates.
    struct Word: Sendable {
        let text: String
        let scalars: [Unicode.Scalar]
        let sound: String?

        init(_ text: String) {
            self.text = text
            scalars = Array(text.unicodeScalars)
            sound = SoundKey.of(text)
        }
    }

    /// 0 is the same name; each edit costs 10, a word begun but not finished 3. Nil when a word of the question is
    /// answered by no word of the name.
    static func cost(of question: [Word], in name: [String]) -> Int? {
        var total = 0
        var free = name
        for word in question {
            var best: (index: Int, cost: Int)?
            for (index, token) in free.enumerated() {
                guard let cost = cost(word, token), cost < best?.cost ?? .max else { continue }
                best = (index, cost)
                if cost == 0 { break }
            }
            guard let best else { return nil }
            total += best.cost
            free.remove(at: best.index)
        }
        // Between equals, the name with less left over is the one that was meant.
        return total + min(free.count, 3)
    }

    private static func cost(_ word: Word, _ token: String) -> Int? {
        if word.text == token { return 0 }
        let a = word.scalars
        let b = Array(token.unicodeScalars)
        if a.count < b.count && b.starts(with: a) { return 3 }
        // Two edits in a word of three letters make another word.
        let allowed = a.count <= 3 ? 1 : 2
        if abs(a.count - b.count) <= allowed, let edits = distance(a, b, upTo: allowed) { return edits * 10 }
        if let sound = word.sound, sound == SoundKey.of(token) { return 15 }
        // A misspelt beginning of a longer word, as it is typed.
        if a.count > 4 && b.count > a.count, distance(a, Array(b.prefix(a.count)), upTo: 1) != nil { return 18 }
        return nil
    }

    /// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours. Nil when above `limit`.
    static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar], upTo limit: Int) -> Int? {
        if a.isEmpty || b.isEmpty { return max(a.count, b.count) <= limit ? max(a.count, b.count) : nil }
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        var current = last
        for i in 1...a.count {
            current[0] = i
            var least = i
            for j in 1...b.count {
                let change = a[i - 1] == b[j - 1] ? 0 : 1
                var best = min(last[j] + 1, current[j - 1] + 1, last[j - 1] + change)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { best = min(best, beforeLast[j - 2] + 1) }
                current[j] = best
                least = min(least, best)
            }
            if least > limit { return nil }
            (beforeLast, last, current) = (last, current, beforeLast)
        }
        return last[b.count] <= limit ? last[b.count] : nil
    }
}
