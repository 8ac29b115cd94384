@main
enum QueueService {
    static func main() {}
}
