@main
enum ClinicalService {
    static func main() {}
}
