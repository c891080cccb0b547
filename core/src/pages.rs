//! The pages of a list, one after the other, by cursor or by `Link`.

pub use gatewright_engine::next_page::PageStyle;

use gatewright_engine::ErrorKind;
use gatewright_engine::next_page::{NextPage, find_next_page};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::Error;
use crate::request::RequestBuilder;
use crate::response::Response;

/// A list's pages. Each is a call of its own, with retries and pacing of its own.
#[derive(Debug)]
pub struct Pages {
    template: RequestBuilder,
    /// What cannot be sent as it is says so itself.
    unsendable: Option<RequestBuilder>,
    next: Option<Url>,
    style: PageStyle,
}

impl Pages {
    pub(crate) fn new(request: RequestBuilder, style: PageStyle) -> Self {
        match request.full_url() {
            Some(url) => Self {
                template: request.at(&url),
                unsendable: None,
                next: Some(url),
                style,
            },
            None => Self {
                template: request.at(request.base_url()),
                unsendable: Some(request),
                next: None,
                style,
            },
        }
    }

    /// The next page, `None` after the last.
    ///
    /// # Errors
    /// As [`RequestBuilder::send`]; `protocol` where a page names itself as the next, `cross_origin` where the next is
    /// at another origin. A page that failed is asked for again by the next call.
    pub async fn next_page(&mut self) -> Result<Option<Page>, Error> {
        let request = match (self.unsendable.take(), &self.next) {
            (Some(unsendable), _) => unsendable,
            (None, Some(url)) => self.template.at(url),
            (None, None) => return Ok(None),
        };
        let response = request.send().await?;
        let page = Page::read(response, &self.style)?;
        let next = find_next_page(
            &self.style,
            page.response.url(),
            page.response.headers(),
            || Some(page.body.clone()),
        );
        self.next = match next {
            NextPage::End => None,
            NextPage::At(url) => Some(url),
            NextPage::Loop(_) => {
                return Err(page.response.error(
                    ErrorKind::Protocol,
                    "with a page that names itself as the next",
                ));
            }
        };
        Ok(Some(page))
    }

    /// All items of all pages, decoded.
    ///
    /// # Errors
    /// As [`Pages::next_page`], and `decode`.
    pub async fn collect<T: DeserializeOwned>(mut self) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        while let Some(page) = self.next_page().await? {
            all.extend(page.items()?);
        }
        Ok(all)
    }
}

/// One page.
#[derive(Debug)]
pub struct Page {
    response: Response,
    body: Value,
    items_field: String,
}

impl Page {
    fn read(response: Response, style: &PageStyle) -> Result<Self, Error> {
        let body = response.json()?;
        Ok(Self {
            response,
            body,
            items_field: style.items_field.clone(),
        })
    }

    /// The answer that the page came in.
    #[must_use]
    pub fn response(&self) -> &Response {
        &self.response
    }

    /// Takes the answer out.
    #[must_use]
    pub fn into_response(self) -> Response {
        self.response
    }

    /// The page's items as they came.
    ///
    /// # Errors
    /// `decode`, where the body has no list of items.
    pub fn raw_items(&self) -> Result<&[Value], Error> {
        let items = match &self.body {
            Value::Array(_) => Some(&self.body),
            body => self
                .items_field
                .split('.')
                .try_fold(body, |value, name| value.get(name)),
        };
        let Some(Value::Array(items)) = items else {
            let what = format!(
                "was answered with a page that has no list {:?}",
                self.items_field
            );
            return Err(self.response.head.error(ErrorKind::Decode, what).into());
        };
        Ok(items)
    }

    /// The page's items, decoded.
    ///
    /// # Errors
    /// `decode`, where the body has no list of items, or where one is not what is expected.
    pub fn items<T: DeserializeOwned>(&self) -> Result<Vec<T>, Error> {
        let decoded: Result<_, serde_json::Error> =
            self.raw_items()?.iter().map(T::deserialize).collect();
        decoded.map_err(|why| {
            self.response
                .error(
                    ErrorKind::Decode,
                    &format!("with items that are not what is expected: {why}"),
                )
                .caused_by(why)
        })
    }
}
