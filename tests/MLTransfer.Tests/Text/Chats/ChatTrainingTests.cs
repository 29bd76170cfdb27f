using System.Text.Json.Nodes;
using MLTransfer.Torch.Chats;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Text.Chats;

public sealed class ChatTrainingTests : IDisposable
{
    private const string TwoTurns =
        """
        [{"role": "user", "content": "One?"}, {"role": "assistant", "content": "Yes, one."},
         {"role": "user", "content": "Two?"}, {"role": "assistant", "content": "Yes, two."}]
        """;

    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_loss_is_on_the_tokens_of_the_assistant_alone()
    {
        var data = Rows(TwoTurns, """[{"role": "user", "content": "A much longer question?"}, {"role": "assistant", "content": "No."}]""");
        using var model = Fit(data, "chatml");
        var tokenizer = TextTokenizer.Load(_folder["chatml"]);

        var metrics = _ml.Generation.Evaluate(model, data);

        string[] said = ["Yes, one.<|fin|>\n", "Yes, two.<|fin|>\n", "No.<|fin|>\n"];
        Assert.Equal(said.Sum(text => tokenizer.Encode(text, addSpecialTokens: false).Length), metrics.TokenCount);
        Assert.Equal(said.Sum(text => text.Length), metrics.ByteCount);
    }

    [Fact]
    public void Special_tokens_that_the_template_writes_are_not_put_around_the_text_again()
    {
        using var model = Fit(Rows(TwoTurns), "llama2", options => options.Training = options.Training with { BatchSize = 1 });
        var tokenizer = TextTokenizer.Load(_folder["llama2"]);
        var format = ChatFormat.Find(tokenizer)!;
        var text = format.Render(new() { Messages = TwoTurns }).Text;
        Assert.StartsWith("<s>", text, StringComparison.Ordinal);
        Assert.Equal(tokenizer.Encode(text, addSpecialTokens: false), format.Encode(new() { Messages = TwoTurns }));
        Assert.Equal(
            format.Encode(new() { Messages = TwoTurns }).Length,
            Estimator("llama2", options => options.ValidationFraction = 0).DescribeTrainingData(Rows(TwoTurns)).Tokens);
    }

    [Fact]
    public void A_template_that_hides_earlier_turns_is_refused_with_row_message_and_remedy_and_the_last_turn_can_be_learned()
    {
        var data = Rows("", """[{"role": "user", "content": "q"}, {"role": "assistant", "content": "One turn."}]""", TwoTurns);

        var error = Assert.Throws<InvalidOperationException>(() => Fit(data, "qwen3").Dispose());
        Assert.StartsWith("Row 2 of column 'Messages': Message 1", error.Message, StringComparison.Ordinal);
        Assert.Contains("AssistantLoss.LastTurn", error.Message, StringComparison.Ordinal);

        using var model = Fit(data, "qwen3", options => options.Chat = new() { Loss = AssistantLoss.LastTurn });
        var tokenizer = TextTokenizer.Load(_folder["qwen3"]);
        string[] said = ["<think>\n\n</think>\n\nOne turn.<|fin|>\n", "<think>\n\n</think>\n\nYes, two.<|fin|>\n"];
        Assert.Equal(
            said.Sum(text => tokenizer.Encode(text, addSpecialTokens: false).Length), _ml.Generation.Evaluate(model, data).TokenCount);
    }

    [Fact]
    public void Chats_share_rows_and_long_ones_go_on_in_further_rows()
    {
        string[] chats = [.. Enumerable.Range(0, 10).Select(i =>
            $$"""[{"role": "user", "content": "Question {{i}}?"}, {"role": "assistant", "content": "It is {{i}}."}]""")];
        var data = Rows([.. chats, chats[0], ""]);

        var packed = Estimator("chatml").DescribeTrainingData(data);
        Assert.Equal((11, 1, 1, 0), ((int)packed.Texts, (int)packed.EmptyTexts, (int)packed.DuplicateTexts, (int)packed.CutTexts));
        Assert.Equal((1, 1), (packed.Rows, packed.EvaluationRows));
        var apart = Estimator("chatml", options => (options.RowPacking, options.ValidationFraction) = (RowPacking.None, 0.2))
            .DescribeTrainingData(data);
        Assert.Equal((9, 2), (apart.Rows, apart.EvaluationRows)); // chats are held out whole
        var cut = Estimator("chatml", options => (options.RowPacking, options.MaximumLength) = (RowPacking.None, 16))
            .DescribeTrainingData(data);
        Assert.Equal(11, cut.CutTexts);
        Assert.Equal(16, cut.MaximumLength);
        Assert.Contains(nameof(TextGeneratorOptions.ChatColumnName), Assert.Throws<ArgumentException>(() =>
            Estimator("chatml", options => options.RowPacking = RowPacking.Concatenated)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Packed_chats_are_learned_as_apart_ones_are()
    {
        var data = Rows(TwoTurns, """[{"role": "user", "content": "Three?"}, {"role": "assistant", "content": "Yes, three."}]""");
        using var model = Fit(data, "zephyr");
        using var apart = Fit(data, "zephyr", options => options.RowPacking = RowPacking.None);

        Assert.Equal(_ml.Generation.Evaluate(apart, data).TokenCount, _ml.Generation.Evaluate(model, data).TokenCount);
        Assert.Equal(apart.TrainingResult!.InitialValidationLoss!.Value, model.TrainingResult!.InitialValidationLoss!.Value, 1e-5);
    }

    [Theory]
    [InlineData("{}", "The chat is no JSON array of messages")]
    [InlineData("[]", "The chat has no message")]
    [InlineData("[{", "The chat is not valid JSON")]
    [InlineData("""[{"role": "user", "content": "q"}, 7]""", "Message 1 is no JSON object")]
    [InlineData("""[{"role": "user", "content": "q"}, {"content": "a"}]""", "Message 1 has no text 'role'")]
    [InlineData("""[{"role": "user", "content": 7}]""", "Message 0 has the content 7")]
    [InlineData(
        """[{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]""", "Message 0 has a part 0 of type 'image_url'")]
    [InlineData("""[{"role": "user", "content": null}]""", "Message 0 has no 'content'")]
    [InlineData("""[{"role": "user", "content": [{"text": "q"}]}]""", "Message 0 has a part 0 without a 'type'")]
    [InlineData("""[{"role": "user", "content": [{"type": "text"}]}]""", "Message 0 has a part 0 of type 'text' without a 'text'")]
    [InlineData("""[{"role": "assistant", "content": "a", "weight": 0}]""", "Message 0 has the weight 0")]
    [InlineData("""[{"role": "assistant", "tool_calls": {}}]""", "Message 0 has 'tool_calls' that are no list")]
    [InlineData("""[{"role": "assistant", "tool_calls": [{"function": 7}]}]""", "Message 0 has a tool call 0 that is no object")]
    [InlineData("""[{"role": "assistant", "tool_calls": [{"function": {}}]}]""", "Message 0 has a tool call 0 without a 'name'")]
    [InlineData("""[{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}]""", "Message 0, tool call 0: ")]
    [InlineData("""[{"role": "user", "content": "q"}]""", "No message has the role 'assistant'")]
    [InlineData("""{"messages": [{"role": "user", "content": "q"}], "tools": 7}""", "The chat's 'tools' are no JSON array")]
    public void What_is_wrong_with_a_chat_is_told_with_row_and_message(string chat, string expected)
    {
        var error = Assert.Throws<InvalidOperationException>(() => Fit(Rows("", TwoTurns, chat), "chatml").Dispose());
        Assert.StartsWith($"Row 2 of column 'Messages': {expected}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_template_refuses_is_told_with_the_row()
    {
        const string Wrong = """[{"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}]""";
        var error = Assert.Throws<InvalidOperationException>(() => Fit(Rows(Wrong), "gemma").Dispose());
        Assert.StartsWith("Row 0 of column 'Messages': The chat template", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Columns_are_checked_before_a_row_is_read()
    {
        var source = new CountingDataView(Rows(TwoTurns));
        foreach (var (change, name) in ((Action<TextGeneratorOptions>, string)[])
        [
            (options => options.ChatColumnName = "Chats", "'Chats'"),
            (options => options.Chat = new() { ToolsColumnName = "Functions" }, "tools column 'Functions'"),
            (options => options.ValidationData = _ml.Data.LoadFromEnumerable([new Story()]), "chat column 'Messages'"),
        ])
        {
            var estimator = Estimator("chatml", change);
            Assert.Contains(name, Assert.Throws<ArgumentException>(() => estimator.Fit(source)).Message, StringComparison.Ordinal);
        }

        Assert.Equal(0, source.RowsRead);
    }

    [Fact]
    public void Options_that_do_not_go_together_are_refused()
    {
        AssertRefused(options => (options.ChatColumnName, options.Chat) = (null, new()), "ChatColumnName");
        AssertRefused(options => options.CompletionColumnName = "Tools", "CompletionColumnName");
        AssertRefused(options => options.Chat = new() { Loss = (AssistantLoss)7 }, "Loss");
        AssertRefused(options => options.Chat = new()
        {
            Variables = new Dictionary<string, JsonNode?> { ["messages"] = 1 },
        }, "'messages'");
        Assert.Contains("trainingColumnName", Assert.Throws<ArgumentException>(() => _ml.Transforms.Text.FineTuneTextGenerator(
            "Answer", null, "Tools", new TextGeneratorOptions { ChatColumnName = "Messages" })).Message, StringComparison.Ordinal);
        Assert.Contains("'Other'", Assert.Throws<ArgumentException>(() => _ml.Transforms.Text.GenerateText(
            "Answer", "Other", options: new() { ChatColumnName = "Messages" })).Message, StringComparison.Ordinal);

        void AssertRefused(Action<TextGeneratorOptions> change, string name) =>
            Assert.Contains(name, Assert.ThrowsAny<ArgumentException>(() => Estimator("chatml", change)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_without_a_template_is_refused_and_a_template_of_ones_own_is_saved_with_the_tuned_model()
    {
        const string Own = "{% for m in messages %}<s>{{ m.role }}: {{ m.content }}</s>{% endfor %}"
            + "{% if add_generation_prompt %}<s>assistant: {% endif %}";
        TinyChatModel.Make(_folder["plain"], "zephyr", template: "");
        var data = Rows(TwoTurns);
        Assert.Contains("has no chat template", Assert.Throws<ArgumentException>(() => Fit(data, "plain").Dispose()).Message,
            StringComparison.Ordinal);

        using var model = Fit(data, "plain", options => options.Chat = new() { Template = Own });
        _ml.Generation.SaveModelFolder(model, _folder["tuned"]);
        Assert.Equal(Own, File.ReadAllText(_folder["tuned/chat_template.jinja"]));
        _ml.Model.Save(model, data.Schema, _folder["tuned.zip"]);
        using var loaded = _ml.Generation.LoadPretrained(_folder["tuned.zip"]);
        using var ofFolder = _ml.Generation.LoadPretrained(_folder["tuned"]);
        ChatTurn[] chat = [new("user", "One?")];
        Assert.Equal(_ml.Generation.GenerateChat(model, chat), loaded.GenerateChat(chat, model.Generation));
        Assert.Equal(_ml.Generation.GenerateChat(model, chat), ofFolder.GenerateChat(chat, model.Generation));
    }

    [Fact]
    public void Where_no_token_ends_a_turn_the_text_behind_an_answer_does()
    {
        TinyChatModel.Make(_folder["plain"], "zephyr", template: "");
        using var model = Fit(Rows(TwoTurns, TwoTurns), "plain", options =>
        {
            options.Chat = new()
            {
                Template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n### End\n{% endfor %}"
                    + "{% if add_generation_prompt %}assistant: {% endif %}",
            };
            options.Training = options.Training with { MaximumSteps = 60, LearningRate = 1e-2 };
            options.Generation = new() { MaximumNewTokens = 40 };
        });
        Assert.Equal("Yes, one.", _ml.Generation.GenerateChat(model, [new("user", "One?")]).Trim());
    }

    [Fact]
    public void A_plain_model_becomes_one_of_chats_with_a_template_and_added_markers()
    {
        TinyChatModel.Make(_folder["plain"], "zephyr", template: "");
        using var model = Fit(Rows(TwoTurns, TwoTurns), "plain", options =>
        {
            options.AddTokens = ["<|im_start|>", "<|im_end|>"];
            options.Chat = new()
            {
                Template = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
                    + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
            };
            options.Training = options.Training with { MaximumSteps = 60, LearningRate = 1e-2 };
            options.Generation = new() { MaximumNewTokens = 40 };
        });
        _ml.Generation.SaveModelFolder(model, _folder["tuned"]);
        using var tuned = _ml.Generation.LoadPretrained(_folder["tuned"]);
        Assert.Equal(tuned.Tokenizer.TokenToId("<|im_end|>"), ChatFormat.Find(tuned.Tokenizer)!.FindEndOfTurn().TokenId);
        Assert.Equal("Yes, one.", tuned.GenerateChat([new("user", "One?")], model.Generation));
    }

    [Fact]
    public void Named_templates_and_those_of_a_folder_stay_with_a_tuned_model()
    {
        TinyChatModel.Make(_folder["named"], "named");
        Directory.CreateDirectory(_folder["named/additional_chat_templates"]);
        File.WriteAllText(_folder["named/additional_chat_templates/short.jinja"], "{{ messages[0].content }}");
        using var model = Fit(Rows(TwoTurns), "named");

        _ml.Model.Save(model, null, _folder["tuned.zip"]);
        _ml.Generation.SaveModelFolder(model, _folder["tuned"]);

        using var loaded = _ml.Generation.LoadPretrained(_folder["tuned.zip"]);
        Assert.Equal(["default", "short", "tool_use"], ChatFormat.Find(loaded.Tokenizer)!.TemplateNames.Order());
        Assert.Equal(["default", "short", "tool_use"], ChatFormat.Load(_folder["tuned"]).TemplateNames.Order());
    }

    [Fact]
    public void Adapters_alone_are_saved_with_the_form_of_their_chats()
    {
        var data = Rows(TwoTurns);
        using var model = Fit(data, "chatml", options => (options.Lora, options.SaveAdapterOnly) = (new() { Rank = 2 }, true));
        _ml.Model.Save(model, data.Schema, _folder["adapters.zip"]);
        using var loaded = (IDisposable)_ml.Model.Load(_folder["adapters.zip"], out _);
        ChatTurn[] chat = [new("user", "One?")];
        Assert.Equal(_ml.Generation.GenerateChat(model, chat), _ml.Generation.GenerateChat((ITransformer)loaded, chat));
        Assert.Equal(
            _ml.Generation.Evaluate(model, data).Loss, _ml.Generation.Evaluate((ITransformer)loaded, data).Loss, 1e-6);
    }

    [Fact]
    public void Tools_are_read_of_their_column_or_of_the_chat_itself()
    {
        const string Tools = """[{"type": "function", "function": {"name": "look_up"}}]""";
        var apart = _ml.Data.LoadFromEnumerable([new ChatRow { Messages = TwoTurns, Tools = Tools }]);
        var together = Rows($$"""{"messages": {{TwoTurns}}, "tools": {{Tools}}}""");
        var ofColumn = Estimator("qwen25", options => options.Chat = new() { ToolsColumnName = "Tools" }).DescribeTrainingData(apart);
        Assert.Equal(ofColumn.Tokens, Estimator("qwen25").DescribeTrainingData(together).Tokens);
        Assert.True(ofColumn.Tokens > Estimator("qwen25").DescribeTrainingData(Rows(TwoTurns)).Tokens + 10);
    }

    [Fact]
    public void Rows_of_single_messages_become_chats_in_the_order_of_rows()
    {
        var messages = _ml.Data.LoadFromEnumerable((MessageRow[])
        [
            new() { Id = 7, Role = "user", Content = "One?" }, new() { Id = 8, Role = "user", Content = "é \"Two\"?" },
            new() { Id = 7, Role = "assistant", Content = "Yes, one." }, new() { Id = 8, Role = "assistant", Content = "Yes, two." },
        ]);

        var chats = _ml.Data.GroupChats(messages, "Id", "Role", "Content");

        Assert.Equal(["Id", "Messages"], chats.Schema.Select(column => column.Name));
        Assert.Equal(["7", "8"], chats.GetColumn<string>("Id"));
        Assert.Equal("""[{"role":"user","content":"é \"Two\"?"},{"role":"assistant","content":"Yes, two."}]""",
            chats.GetColumn<string>("Messages").Last());
        using var model = Fit(chats, "chatml");
        Assert.Equal(2, model.Transform(chats).GetColumn<string>("Answer").Count());

        Assert.Contains("'Words'", Assert.Throws<ArgumentException>(() => _ml.Data.GroupChats(messages, "Id", "Role", "Words")).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => _ml.Data.GroupChats(messages, "Id", "Role", "Content", "Id"));
        var without = _ml.Data.LoadFromEnumerable([new MessageRow { Role = "user" }, new MessageRow()]);
        Assert.Contains("Row 1 of column 'Role'", Assert.Throws<InvalidOperationException>(() =>
            _ml.Data.GroupChats(without, "Id", "Role", "Content").GetColumn<string>("Messages").ToList()).Message,
                StringComparison.Ordinal);
    }

    [Fact]
    public void Sample_prompts_are_questions_or_chats()
    {
        var answers = new List<string>();
        using var model = Fit(Rows(TwoTurns), "chatml", options =>
        {
            options.Training = options.Training with
            {
                MaximumSteps = 40, LearningRate = 1e-2, SamplePrompts = ["One?", """[{"role": "user", "content": "One?"}]"""],
            };
            options.ValidationFraction = 0;
            options.Progress = new Told(report => answers.AddRange(report.Answers.Select(answer => answer.ToString()!)));
        });
        Assert.True(answers.Count >= 4);
        Assert.All(answers[^2..], answer => Assert.Contains("Yes, one.", answer, StringComparison.Ordinal));
    }

    [Fact]
    public void An_end_of_sequence_follows_the_assistants_last_word_where_it_is_asked_for()
    {
        const string Open =
            """[{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "r"}]""";
        const string Template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
            + "{% if add_generation_prompt %}assistant: {% endif %}";
        long Tokens(string chat, bool? appends) => Estimator("zephyr", options =>
            (options.Chat, options.AppendEndOfSequence, options.ValidationFraction) = (new() { Template = Template }, appends, 0))
            .DescribeTrainingData(Rows(chat)).Tokens;
        Assert.Equal(Tokens(TwoTurns, null) + 1, Tokens(TwoTurns, true));
        Assert.Equal(Tokens(Open, null), Tokens(Open, true));
    }

    [Fact]
    public void Copies_are_looked_for_among_what_the_assistant_says()
    {
        const string Long =
            """[{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Yes, one it is, and one it was before."}]""";
        var data = Rows(Long, "", TwoTurns);
        using var model = Fit(data, "chatml", options =>
        {
            options.Training = options.Training with { MaximumSteps = 60, LearningRate = 1e-2 };
            (options.ValidationFraction, options.Generation) = (0, new() { MaximumNewTokens = 40 });
        });

        var found = _ml.Generation.EvaluateMemorization(model, data, new() { NgramLength = 6 });

        Assert.True(found.CopiedShare > 0.9, $"{found}");
        var copied = found.Examples.First(example => example.Row == 0);
        Assert.Equal("""[{"role":"user","content":"Why?"}]""", copied.Prompt.Replace(" ", "", StringComparison.Ordinal));
        Assert.StartsWith("Yes, one it is", copied.Text, StringComparison.Ordinal);
        Assert.Equal(found.CopiedShare, _ml.Generation.EvaluateMemorization(
            model, data, new() { NgramLength = 6, Prompts = ["Why?"] }).CopiedShare, 0.2);
        Assert.Contains("'Messages'", Assert.Throws<ArgumentException>(() => _ml.Generation.EvaluateMemorization(
            model, Rows(""), new() { NgramLength = 6 })).Message, StringComparison.Ordinal);
    }

    private TextGeneratorEstimator Estimator(string dialect, Action<TextGeneratorOptions>? change = null)
    {
        if (!Directory.Exists(_folder[dialect]))
            TinyChatModel.Make(_folder[dialect], dialect);
        var options = new TextGeneratorOptions
        {
            PretrainedModel = _folder[dialect],
            ChatColumnName = "Messages",
            Training = new() { MaximumSteps = 2, BatchSize = 2, LearningRate = 5e-3 },
            Generation = new() { MaximumNewTokens = 8 },
        };
        change?.Invoke(options);
        return _ml.Transforms.Text.FineTuneTextGenerator("Answer", options: options);
    }

    private TextGeneratorTransformer Fit(IDataView data, string dialect, Action<TextGeneratorOptions>? change = null) =>
        Estimator(dialect, change).Fit(data);

    private IDataView Rows(params string[] chats) =>
        _ml.Data.LoadFromEnumerable(chats.Select(chat => new ChatRow { Messages = chat }).ToList());

    private sealed class Told(Action<MLTransfer.Torch.Training.Language.TrainingProgress> tell)
        : IProgress<MLTransfer.Torch.Training.Language.TrainingProgress>
    {
        public void Report(MLTransfer.Torch.Training.Language.TrainingProgress value) => tell(value);
    }

    private sealed class ChatRow
    {
        public string Messages { get; set; } = "";

        public string Tools { get; set; } = "";
    }

    private sealed class MessageRow
    {
        public int Id { get; set; }

        public string Role { get; set; } = "";

        public string Content { get; set; } = "";
    }
}
