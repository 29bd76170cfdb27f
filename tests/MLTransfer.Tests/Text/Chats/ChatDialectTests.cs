using MLTransfer.Tests.Pages;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Text.Chats;

/// <summary>The first program of <c>docs/chats.md</c> on a tiny model of every dialect.</summary>
public sealed class ChatDialectTests
{
    private static readonly Page s_page = Page.All.Single(page => page.Name == "docs/chats.md");

    // Its generation prompt begins a thought that it leaves out of turns: what a turn is cannot be told.
    private const string Thoughtful = "deepseek_r1";

    public static TheoryData<string> Dialects => [.. TinyChatModel.Dialects.Except([Thoughtful])];

    [Fact]
    public void The_program_has_at_most_25_lines_of_code() =>
        Assert.InRange(s_page.Programs[0].Split('\n').Count(line => line.Length > 0), 1, 25);

    [Theory]
    [MemberData(nameof(Dialects))]
    public void The_program_teaches_a_model_of_every_dialect_to_answer_and_to_stop(string dialect)
    {
        using var folder = new PageFolder();
        TinyChatModel.Make(folder["chat-model"], dialect);
        AssertLearns(folder);
    }

    [Fact]
    public void A_template_that_does_not_tell_where_turns_begin_is_refused_before_training_and_another_is_taken_in_its_place()
    {
        using var folder = new PageFolder();
        TinyChatModel.Make(folder["chat-model"], Thoughtful);
        var error = Assert.Throws<InvalidOperationException>(() => Run(folder));
        Assert.Contains("Row 0 of column 'Messages': Message 1", error.Message, StringComparison.Ordinal);

        Directory.Delete(folder["chat-model"], recursive: true);
        var own = TinyChatModel.TemplateOf(Thoughtful).Replace("<think>\\n", "", StringComparison.Ordinal);
        Assert.NotEqual(TinyChatModel.TemplateOf(Thoughtful), own);
        TinyChatModel.Make(folder["chat-model"], Thoughtful, own);
        AssertLearns(folder);
    }

    private static string Run(PageFolder folder)
    {
        foreach (var (path, text) in s_page.Files)
            File.WriteAllText(folder[path], text + "\n");
        return folder.Printed(new PageProgram(s_page.Programs[0]).Run);
    }

    private static void AssertLearns(PageFolder folder)
    {
        var printed = Run(folder);
        var answer = printed.Split('\n', 2)[1].Trim();
        Assert.EndsWith("On the red planet.", answer, StringComparison.Ordinal);
        Assert.InRange(answer.Length, 18, 40); // and stops; some templates write a channel or an empty thought before the words

        var ml = new MLContext(seed: 1);
        using var loaded = (IDisposable)ml.Model.Load(folder["assistant.zip"], out var schema);
        var asked = ml.Data.LoadFromEnumerable([new Chat { Messages = """[{"role": "user", "content": "Where is home?"}]""" }]);
        Assert.Equal("Messages", schema.Single().Name);
        Assert.Equal(answer, ((ITransformer)loaded).Transform(asked).GetColumn<string>("Answer").Single().Trim());
    }

    private sealed class Chat
    {
        public string Messages { get; set; } = "";
    }
}
