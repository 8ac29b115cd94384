import Primitives

extension Percent: JSONReadable {
    package init?(json: JSONValue) {
        guard let number = Double(json: json) else { return nil }
        self.init(number)
    }
}
extension Percent: JSONWritable { package func write(to json: inout JSONWriter) { json.number(number) } }
