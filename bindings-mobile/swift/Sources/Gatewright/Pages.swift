import Foundation

/// One page of a list.
public struct Page: Sendable {
    /// The page's answer.
    public let response: Response
    let path: String

    /// The page's items, decoded by the client's ``Configuration/decoder``.
    ///
    /// - Throws: ``GatewrightError/decode(_:)`` with the `DecodingError` as its ``Failure/cause``.
    public func items<Item: Decodable>(as type: Item.Type = Item.self) throws -> [Item] {
        do {
            return try response.decoder.decode([Item].self, from: JSONReader.member(path, of: response.data))
        } catch {
            throw response.meta.undecodable(error)
        }
    }
}

/// The pages of a list. Each is a call of its own, made when the loop asks for it; each loop begins at the first page.
///
/// Leaving the loop ends the list. When the task is cancelled, the loop throws `CancellationError`.
public struct Pages: AsyncSequence, Sendable {
    /// A page.
    public typealias Element = Page

    let request: ListRequest

    /// Gives the pages, one after the other.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let request: ListRequest
        let list: List

        /// The next page, `nil` after the last.
        ///
        /// - Throws: `GatewrightError` where a page cannot be had, `CancellationError` where the task was cancelled.
        public mutating func next() async throws -> Page? {
            try await request.page(of: list)
        }
    }

    /// Begins at the first page.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(request: request, list: request.walk())
    }
}

/// The items of all pages of a list. Each page is fetched when the loop has had all items of the one before.
///
/// Leaving the loop ends the list. When the task is cancelled, the loop throws `CancellationError`.
public struct Items<Element: Decodable & Sendable>: AsyncSequence, Sendable {
    let request: ListRequest

    /// Gives the items, one after the other.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let request: ListRequest
        let list: List
        var items: [Element].Iterator = [].makeIterator()

        /// The next item, `nil` after the last.
        ///
        /// - Throws: `GatewrightError` where a page cannot be had or decoded, `CancellationError` where the task was cancelled.
        public mutating func next() async throws -> Element? {
            while true {
                if let item = items.next() {
                    return item
                }
                guard let page = try await request.page(of: list) else { return nil }
                items = try page.items(as: Element.self).makeIterator()
            }
        }
    }

    /// Begins at the first item.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(request: request, list: request.walk())
    }
}

extension Page: CustomStringConvertible, CustomReflectable {
    /// The page's answer.
    public var description: String { "Page(\(response))" }

    /// The page's answer.
    public var customMirror: Mirror {
        Mirror(self, children: ["response": response])
    }
}

extension Pages: CustomStringConvertible, CustomReflectable {
    /// The type's name.
    public var description: String { "Pages" }

    /// Nothing beside the description.
    public var customMirror: Mirror {
        Mirror(self, children: [])
    }
}

extension Items: CustomStringConvertible, CustomReflectable {
    /// The type's name.
    public var description: String { "Items<\(Element.self)>" }

    /// Nothing beside the description.
    public var customMirror: Mirror {
        Mirror(self, children: [])
    }
}
