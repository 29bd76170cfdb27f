using System.Text;
using MLTransfer.Torch.Chats;
using MLTransfer.Torch.Tests.ChatTemplates;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Chats;

public sealed class AssistantMaskTests
{
    // Writes only the last turn whole, as templates do that drop earlier thoughts.
    private const string Forgetful =
        "{% for m in messages %}{% if m.role == 'user' %}U {{ m.content }} {% elif loop.last %}A\n{{ m.content }}</s>"
        + "{% else %}A -</s>{% endif %}{% endfor %}{% if add_generation_prompt %}A\n{% endif %}";

    private const string Marking =
        "{% macro say(m) %}{% generation %}{{ m }}{% endgeneration %}</s>{% endmacro %}"
        + "{% for m in messages %}{% if m.role == 'user' %}U {{ m.content }} {% else %}"
        + "A\n{{ say('short' if not loop.last else m.content) }}"
        + "{% endif %}{% endfor %}{% if add_generation_prompt %}A\n{% endif %}";

    private const string TwoTurns =
        """
        [{"role": "user", "content": "q"}, {"role": "assistant", "content": "one"},
         {"role": "user", "content": "r"}, {"role": "assistant", "content": "two"}]
        """;

    [Fact]
    public void Where_a_template_hides_earlier_turns_the_error_names_message_and_remedy_and_the_last_turn_is_known()
    {
        var chat = Encode(Forgetful, TwoTurns);
        var error = Assert.Throws<InvalidDataException>(() => chat.GetMask(AssistantLoss.AllTurns));
        Assert.Contains("Message 1", error.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(AssistantLoss.LastTurn), error.Message, StringComparison.Ordinal);
        Assert.Equal("two</s>", Masked(Forgetful, chat, AssistantLoss.LastTurn));
    }

    [Fact]
    public void Where_a_template_hides_earlier_turns_its_marks_count_if_it_has_any()
    {
        var chat = Encode(Marking, TwoTurns);
        Assert.NotNull(chat.Turns[0].Problem);
        Assert.Equal("shorttwo", Masked(Marking, chat, AssistantLoss.AllTurns));
    }

    [Fact]
    public void Marks_that_the_template_has_changed_do_not_count_and_the_error_says_so()
    {
        var template = Marking.Replace("say('short' if not loop.last else m.content)", "say('short' if not loop.last else m.content)|upper",
            StringComparison.Ordinal);
        var error = Assert.Throws<InvalidDataException>(() => Encode(template, TwoTurns).GetMask(AssistantLoss.AllTurns));
        Assert.Contains("generation block in line 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_not_even_the_last_turn_is_known_the_error_offers_nothing()
    {
        const string Template = "{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}";
        foreach (var loss in Enum.GetValues<AssistantLoss>())
        {
            var error = Assert.Throws<InvalidDataException>(() => Encode(Template, TwoTurns).GetMask(loss));
            Assert.DoesNotContain(nameof(AssistantLoss.LastTurn), error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""[{"role": "user", "content": "q"}]""", "No message has the role 'assistant'")]
    [InlineData("""[{"role": "user", "content": "q"}, {"role": "assistant", "content": ""}]""", "no token lies within")]
    public void A_chat_with_nothing_to_learn_is_refused(string messages, string reason)
    {
        const string Template = "{% for m in messages %}{{ m.content }}{% endfor %}";
        foreach (var loss in Enum.GetValues<AssistantLoss>())
        {
            Assert.Contains(reason, Assert.Throws<InvalidDataException>(() => Encode(Template, messages).GetMask(loss)).Message,
                StringComparison.Ordinal);
        }
    }

    public static TheoryData<string, string?> EndsOfTurns => new()
    {
        { "alpaca", "</s>" }, { "chatml", "<|fin|>" }, { "commandr", "<|/say|>" }, { "deepseek_r1", "<｜Ende▁des▁Satzes｜>" },
        { "gemma", "</turn>" }, { "gemma_fold", "</turn>" }, { "gptoss", "<|return|>" }, { "llama2", "</s>" }, { "llama3", "<|stop|>" },
        { "marks", "<|fin|>" }, { "mistral", "</s>" }, { "mixed", "<|over|>" }, { "named", "<|over|>" }, { "phi3", "<|close|>" },
        { "phi4mini", "<|close|>" }, { "qwen25", "<|fin|>" }, { "qwen3", "<|fin|>" }, { "smollm3", "<|fin|>" }, { "tekken", "</s>" },
        { "vicuna", "</s>" }, { "zephyr", "</s>" },
    };

    [Theory]
    [MemberData(nameof(EndsOfTurns))]
    public void The_end_of_a_turn_is_the_first_added_token_behind_an_answer(string name, string? token)
    {
        var tokenizer = ChatCases.Tokenizer(name);
        var end = ChatFormat.Find(tokenizer)!.FindEndOfTurn();
        Assert.Equal(token, end.TokenId is { } id ? tokenizer.IdToToken(id) : null);
        Assert.Null(end.Text);
    }

    [Fact]
    public void Every_template_has_an_end_of_turn() =>
        Assert.Equal(ChatReferences.Templates.Order(), EndsOfTurns.Select(row => row.Data.Item1));

    [Theory]
    [InlineData("{% for m in messages %}### {{ m.role }}: {{ m.content }}\n### End\n{% endfor %}", "\n### End")]
    [InlineData("{% for m in messages %}{{ m.content }}\n\n{% endfor %}", null)]
    [InlineData("{{ raise_exception('no') }}", null)]
    public void Without_a_token_the_text_behind_an_answer_ends_a_turn(string template, string? text) =>
        Assert.Equal(new EndOfTurn(null, text), Format(template).FindEndOfTurn());

    [Fact]
    public void It_is_known_whether_a_template_takes_parts()
    {
        foreach (var name in (string[])["tekken", "gemma_fold", "mixed"])
            Assert.True(ChatFormat.Find(ChatCases.Tokenizer(name))!.TakesParts(), name);
        Assert.False(ChatFormat.Find(ChatCases.Tokenizer("chatml"))!.TakesParts());
    }

    private static EncodedChat Encode(string template, string messages) => Format(template).EncodeWithTurns(new() { Messages = messages });

    private static string Masked(string template, EncodedChat chat, AssistantLoss loss)
    {
        var mask = chat.GetMask(loss);
        return Tokenizer(template).Decode([.. chat.Ids.Where((_, i) => mask[i])]);
    }

    private static ChatFormat Format(string template) => ChatFormat.Find(Tokenizer(template))!;

    private static TextTokenizer Tokenizer(string template) => TextTokenizer.Load(
        new Dictionary<string, byte[]>(ChatCases.Files("zephyr")) { ["chat_template.jinja"] = Encoding.UTF8.GetBytes(template) });
}
