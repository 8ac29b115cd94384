@main
enum BillingService {
    static func main() {}
}
