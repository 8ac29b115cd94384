@main
enum AuthService {
    static func main() {}
}
