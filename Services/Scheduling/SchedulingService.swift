@main
enum SchedulingService {
    static func main() {}
}
