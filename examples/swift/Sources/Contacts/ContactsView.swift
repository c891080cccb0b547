// A SwiftUI screen over ContactsModel: loads as it is scrolled, pull to refresh, an error with its advice, and nothing goes on once it
// is gone. Where there is no SwiftUI, on Linux, this file is empty.

#if canImport(SwiftUI)
    import Gatewright
    import SwiftUI

    /// A list of contacts.
    public struct ContactsView: View {
        @State private var model: ContactsModel

        public init(client: Client) {
            _model = State(initialValue: ContactsModel(client: client))
        }

        public var body: some View {
            List {
                ForEach(model.contacts) { contact in
                    VStack(alignment: .leading) {
                        Text(contact.name)
                        if let email = contact.email {
                            Text(email).font(.footnote).foregroundStyle(.secondary)
                        }
                    }
                }
                if let trouble = model.trouble {
                    VStack(alignment: .leading, spacing: 8) {
                        Label(trouble.what, systemImage: "exclamationmark.triangle")
                        Text(trouble.advice).font(.footnote).foregroundStyle(.secondary)
                        Button("Try again") { Task { await model.loadMore() } }
                    }
                } else if model.hasMore {
                    // Comes into sight at the end of the list, and loads the next page. SwiftUI cancels the task when it disappears, and
                    // with it the request. The identity makes it a new row, with a task of its own, after each page.
                    ProgressView()
                        .frame(maxWidth: .infinity)
                        .task { await model.loadMore() }
                        .id(model.pages)
                }
            }
            .navigationTitle("Contacts")
            .refreshable { await model.refresh() }
        }
    }

    #Preview {
        NavigationStack {
            // The reference gateway: cargo run --release -p gatewright-server-mock -- serve
            if let client = try? Client(baseURL: "http://127.0.0.1:4010", auth: .bearer("sk_test_pro_acme")) {
                ContactsView(client: client)
            }
        }
    }
#endif
