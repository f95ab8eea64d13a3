//! `conf/access.yaml`.

use rtcd_sdk::serde::Deserialize;
use rtcd_sdk::{ApiContext, Glob, LoadError, secret};

/// A shorter token could be guessed.
const SHORTEST: usize = 16;

#[derive(Default, Deserialize)]
#[serde(crate = "rtcd_sdk::serde", deny_unknown_fields, default)]
struct Settings {
    tokens: Vec<TokenSettings>,
}

#[derive(Deserialize)]
#[serde(crate = "rtcd_sdk::serde", deny_unknown_fields)]
struct TokenSettings {
    name: String,
    token: String,
    #[serde(default)]
    allow: Vec<String>,
}

/// Somebody who may call.
pub(crate) struct Token {
    pub(crate) name: String,
    token: String,
    allow: Vec<Allowed>,
}

struct Allowed {
    method: Glob,
    path: Glob,
}

impl Token {
    /// Whether this is the token.
    pub(crate) fn is(&self, given: &str) -> bool {
        secret::same(&self.token, given)
    }

    pub(crate) fn allows(&self, method: &str, path: &str) -> bool {
        self.allow.iter().any(|allowed| allowed.method.matches(method) && allowed.path.matches(path))
    }
}

/// The tokens, checked.
pub(crate) fn read(cx: &ApiContext) -> Result<Vec<Token>, LoadError> {
    let settings: Settings = cx.settings().map_err(without_values)?;
    let mut tokens: Vec<Token> = Vec::new();
    for (index, token) in settings.tokens.into_iter().enumerate() {
        let refused =
            |problem: String| LoadError::Refused(format!("conf/access.yaml: tokens[{index}]{problem}"));
        let token = check(token).map_err(refused)?;
        if let Some(other) = tokens.iter().find(|other| other.name == token.name) {
            return Err(refused(format!(".name: {} stands there twice", other.name)));
        }
        if let Some(other) = tokens.iter().find(|other| other.is(&token.token)) {
            return Err(refused(format!(".token: it is that of {}", other.name)));
        }
        tokens.push(token);
    }
    Ok(tokens)
}

fn check(TokenSettings { name, token, allow }: TokenSettings) -> Result<Token, String> {
    let is_name_letter = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    // `admin` and `-` are what the audit log says of others.
    if name.is_empty() || !name.chars().all(is_name_letter) || matches!(&*name, "admin" | "-") {
        return Err(".name: a name has letters, digits, _ - and ., and is not admin".to_owned());
    }
    if token.len() < SHORTEST {
        return Err(format!(".token: it has less than {SHORTEST} characters"));
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(
            ".token: a header cannot carry it: it has spaces, or letters that are not ASCII".to_owned()
        );
    }
    let allow: Result<Vec<_>, _> =
        allow.iter().enumerate().map(|(index, allow)| allowed(index, allow)).collect();
    Ok(Token { name, token, allow: allow? })
}

fn allowed(index: usize, allow: &str) -> Result<Allowed, String> {
    match allow.split_once(' ') {
        Some((method @ ("GET" | "POST" | "DELETE" | "*"), path)) if path.starts_with(['/', '*']) => {
            Ok(Allowed { method: Glob::new(method), path: Glob::new(path) })
        }
        _ => Err(format!(".allow[{index}]: it is not `METHOD /path`, with GET, POST, DELETE or *")),
    }
}

/// A value of the wrong type may be a token.
fn without_values(error: LoadError) -> LoadError {
    let LoadError::Settings { file, line, problem } = error else { return error };
    let parts = problem.split_once("invalid type: ").and_then(|(before, after)| {
        let (_, expected) = after.rsplit_once(", expected ")?;
        Some(format!("{before}expected {expected}"))
    });
    LoadError::Settings { file, line, problem: parts.unwrap_or(problem) }
}

#[cfg(test)]
mod tests {
    use rtcd_sdk::harness::ApiHarness;

    use crate::Access;

    fn refusal(tokens: &str) -> String {
        ApiHarness::<Access>::new(&format!("tokens: [{tokens}]")).unwrap_err().to_string()
    }

    #[test]
    fn what_is_refused() {
        let refusals = [
            refusal("{name: a, token: ''}"),
            refusal("{name: a, token: fifteen-letters}"),
            refusal("{name: a, token: 'with a space in it'}"),
            refusal("{name: a, token: aaaaaaaaaaaaaaaa}, {name: b, token: aaaaaaaaaaaaaaaa}"),
            refusal("{name: a, token: aaaaaaaaaaaaaaaa}, {name: a, token: bbbbbbbbbbbbbbbb}"),
            refusal("{name: admin, token: aaaaaaaaaaaaaaaa}"),
            refusal(r#"{name: "a\nb", token: aaaaaaaaaaaaaaaa}"#),
            refusal("{name: a, token: aaaaaaaaaaaaaaaa, allow: ['GET /x', '/y']}"),
            refusal("{name: a, token: aaaaaaaaaaaaaaaa, allow: ['PUT /y']}"),
            refusal("{name: a}"),
            refusal("{name: a, tokens: aaaaaaaaaaaaaaaa}"),
            refusal("{name: [aaaaaaaaaaaaaaaa], token: aaaaaaaaaaaaaaaa}"),
            refusal("aaaaaaaaaaaaaaaa"),
        ];
        insta::assert_snapshot!(refusals.join("\n"));
        for secret in ["fifteen", "space in", "aaaa"] {
            assert!(!refusals.iter().any(|refusal| refusal.contains(secret)), "{secret} is told");
        }
    }
}
