@main
enum PharmacyService {
    static func main() {}
}
