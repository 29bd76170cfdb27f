using MLTransfer.Tests.Text.Chats;
using MLTransfer.Torch.Chats;
using Xunit;

namespace MLTransfer.Extensions.AI.Tests;

public sealed class CallMarkersTests
{
    // The words of these templates are our own, the forms are those of Hermes, Qwen, Llama and Mistral.
    [Theory]
    [InlineData("qwen25", "<call>", "</call>")]
    [InlineData("qwen3", "<call>", "</call>")]
    [InlineData("llama3", "", "")]
    [InlineData("mistral", "", "")] // the marker is a special token
    public void They_are_what_the_template_writes_around_a_call(string dialect, string begin, string end)
    {
        using var folder = new TemporaryFolder();

        Assert.Equal(new CallMarkers(begin, end), ChatFormat.Load(TinyChatModel.Make(folder["model"], dialect)).FindCallMarkers());
    }

    [Theory]
    [InlineData("<tool_call>\\n{{ f.function | tojson }}\\n</tool_call>", "<tool_call>", "</tool_call>")]
    [InlineData("{{ [f.function] | tojson }}", "", "")]
    [InlineData("Action: ```json\\n{{ [{'tool': f.function.name}] | tojson }}\\n```", "```json", "```")]
    [InlineData("{name}[MARK]{{ f.function | tojson }}", "{name}[MARK]", "")] // what looks like JSON before it is none
    public void They_are_found_in_other_forms(string form, string begin, string end)
    {
        using var folder = new TemporaryFolder();
        var template = "{% for m in messages %}{{ m.role }}: {{ m.content or '' }}{% for f in m.tool_calls %}"
            + form.Replace("\\n", "\n", StringComparison.Ordinal) + "{% endfor %}<|im_end|>{% endfor %}"
            + "{% if add_generation_prompt %}assistant: {% endif %}";

        var found = ChatFormat.Load(TinyChatModel.Make(folder["model"], "chatml", template)).FindCallMarkers();

        Assert.Equal(new CallMarkers(begin, end), found);
    }

    [Theory]
    [InlineData("chatml")] // writes no calls
    [InlineData("alpaca")]
    public void There_are_none_where_a_template_writes_no_call(string dialect)
    {
        using var folder = new TemporaryFolder();

        Assert.Null(ChatFormat.Load(TinyChatModel.Make(folder["model"], dialect)).FindCallMarkers());
    }
}
