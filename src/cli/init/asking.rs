//! The questions, one after the other. An empty answer takes what is in brackets.

use std::io::{self, BufRead, Write};
use std::net::IpAddr;

use super::answers::{Answers, Public};
use crate::config::ServerConfig;

/// Asks for what is not given.
pub(super) fn ask(
    from: &mut impl BufRead,
    to: &mut impl Write,
    given: Answers,
) -> io::Result<Answers> {
    let defaults = ServerConfig::default();
    let mut answers = given;
    let mut terminal = Terminal { from, to };
    if answers.data.is_none() {
        let question = format!("The server's folder [{}]: ", defaults.data.display());
        answers.data = terminal.ask(&question, |text| Ok(text.into()))?;
    }
    if answers.listen.is_none() {
        let question = format!("Where players connect [{}]: ", defaults.listen);
        let wrong = "an address and a port, such as 0.0.0.0:7350";
        answers.listen =
            terminal.ask(&question, |text| text.parse().map_err(|_| wrong.to_owned()))?;
    }
    if answers.public.is_none() {
        let question =
            "How players reach it from outside, such as https://play.example.com [as above]: ";
        answers.public = terminal.ask(question, Public::parse)?;
    }
    if answers.proxies.is_empty() {
        let question = "Addresses of proxies in front of it, with commas [none]: ";
        let wrong = |_| "addresses such as 127.0.0.1, 10.0.0.5".to_owned();
        let each = |text: &str| -> Result<Vec<IpAddr>, String> {
            text.split(',').map(|ip| ip.trim().parse().map_err(wrong)).collect()
        };
        answers.proxies = terminal.ask(question, each)?.unwrap_or_default();
    }
    Ok(answers)
}

struct Terminal<'a, F, T> {
    from: &'a mut F,
    to: &'a mut T,
}

impl<F: BufRead, T: Write> Terminal<'_, F, T> {
    /// Asks until the answer can be read. `None`: an empty answer.
    fn ask<A>(
        &mut self,
        question: &str,
        read: impl Fn(&str) -> Result<A, String>,
    ) -> io::Result<Option<A>> {
        loop {
            self.to.write_all(question.as_bytes())?;
            self.to.flush()?;
            let mut line = String::new();
            if self.from.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim() {
                "" => return Ok(None),
                text => match read(text) {
                    Ok(answer) => return Ok(Some(answer)),
                    Err(wrong) => writeln!(self.to, "  not that: {wrong}")?,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(typed: &str, given: Answers) -> (io::Result<Answers>, String) {
        let mut said = Vec::new();
        let answers = ask(&mut typed.as_bytes(), &mut said, given);
        (answers, String::from_utf8(said).unwrap())
    }

    #[test]
    fn empty_answers_take_the_defaults() {
        let (answers, said) = asked("\n\n\n\n", Answers::default());
        assert_eq!(answers.unwrap(), Answers::default());
        assert_eq!(said.matches('[').count(), 4, "{said}");
    }

    #[test]
    fn a_wrong_answer_is_asked_for_again() {
        let typed = "/srv/game\nport 9000\n127.0.0.1:9000\nhttps://play.example.com\nlocal\n127.0.0.1, ::1\n";
        let (answers, said) = asked(typed, Answers::default());
        let answers = answers.unwrap();
        assert_eq!(said.matches("not that").count(), 2, "{said}");
        assert_eq!(answers.listen, Some("127.0.0.1:9000".parse().unwrap()));
        assert_eq!(answers.proxies.len(), 2);
    }

    #[test]
    fn what_is_given_is_not_asked_for_and_an_end_is_no_answer() {
        let given = Answers { data: Some("here".into()), ..Answers::default() };
        let (answers, said) = asked("\n\n\n", given.clone());
        assert_eq!(answers.unwrap(), given);
        assert!(!said.contains("folder"), "{said}");
        assert!(asked("\n", Answers::default()).0.is_err());
    }
}
