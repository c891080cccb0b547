// The model of the screen against the reference gateway, which GATEWRIGHT_URL and GATEWRIGHT_ADMIN_URL name.

import Foundation
import Gatewright
import Testing

@testable import Contacts

@MainActor
struct ContactsModelTests {
    private let admin: Client
    private let model: ContactsModel
    private let session = "contacts-\(UUID().uuidString)"

    init() throws {
        let environment = ProcessInfo.processInfo.environment
        let admin = environment["GATEWRIGHT_ADMIN_URL"] ?? "http://127.0.0.1:4011"
        self.admin = try Client(baseURL: "\(admin)/admin", auth: .none)
        var configuration = Configuration(auth: .bearer("sk_test_pro_acme"))
        configuration.headers = ["x-mock-session": session]
        configuration.retry = .none
        let url = environment["GATEWRIGHT_URL"] ?? "http://127.0.0.1:4010"
        model = ContactsModel(client: try Client(baseURL: url, configuration: configuration))
    }

    /// Makes the next lists fail so, one after the other.
    private func lists(fail script: [String]) async throws {
        let rules: JSONValue = ["rules": [["match": ["op": "contacts.list"], "script": .array(script.map(JSONValue.string))]]]
        try await admin.put("faults", json: rules, query: ["session": session])
    }

    @Test func growsPageByPageToItsEnd() async {
        for count in [20, 40, 45, 45] {
            await model.loadMore()
            #expect(model.contacts.count == count)
        }
        #expect(!model.hasMore)
        #expect(Set(model.contacts.map(\.id)).count == 45)
    }

    @Test func aPageThatFailedIsLoadedWhenItIsTriedAgain() async throws {
        await model.loadMore()
        try await lists(fail: ["503"])
        await model.loadMore()
        #expect(model.contacts.count == 20 && model.hasMore)
        #expect(model.trouble?.advice.isEmpty == false)
        await model.loadMore()
        #expect(model.contacts.count == 40 && model.trouble == nil)
    }

    @Test func aTaskThatIsCancelledLeavesEverythingAsItWas() async throws {
        await model.loadMore()
        try await lists(fail: ["hang"])
        let task = Task { await model.loadMore() }
        while !model.isLoading { await Task.yield() }
        task.cancel()
        await task.value
        #expect(model.contacts.count == 20 && model.hasMore && model.trouble == nil && !model.isLoading)
    }

    @Test func whatIsLoadedTwiceAtOnceIsShownOnce() async {
        async let first: Void = model.loadMore()
        async let second: Void = model.loadMore()
        _ = await (first, second)
        #expect(model.contacts.count == 20)
    }

    @Test func aRefreshBeginsAgain() async throws {
        await model.loadMore()
        await model.loadMore()
        await model.refresh()
        #expect(model.contacts.count == 20 && model.hasMore)
    }
}
