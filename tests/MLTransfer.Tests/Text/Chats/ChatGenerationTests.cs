using System.Text.Json;
using System.Text.Json.Nodes;
using MLTransfer.Tests.Persistence;
using MLTransfer.Torch.Chats;
using MLTransfer.Torch.ChatTemplates;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Text.Chats;

public sealed class ChatGenerationTests : IDisposable
{
    private const string Question = """[{"role": "system", "content": "Be short."}, {"role": "user", "content": "Who are you?"}]""";

    private const string Begun =
        """[{"role": "user", "content": "Who are you?"}, {"role": "assistant", "content": "I am"}]""";

    private const string Parts =
        """[{"role": "user", "content": [{"type": "text", "text": "Who are"}, {"type": "text", "text": "you?"}]}]""";

    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("chatml")]
    [InlineData("llama2")]
    [InlineData("gemma_fold")]
    public void A_question_begins_a_new_turn_and_a_last_turn_of_the_assistant_goes_on(string dialect)
    {
        var path = TinyChatModel.Make(_folder[dialect], dialect);
        using var fitted = Answerer(path);

        var answers = Answers(fitted, Question, Begun);

        Assert.Equal(Continued(path, new() { Messages = Question, AddGenerationPrompt = true }), answers[0]);
        Assert.Equal(Continued(path, new() { Messages = Begun, ContinueFinalMessage = true }), answers[1]);
        Assert.NotEqual(answers[0], answers[1]);
    }

    [Fact]
    public void Options_say_otherwise_and_switches_reach_the_template()
    {
        var path = TinyChatModel.Make(_folder["qwen3"], "qwen3");
        Assert.Equal(
            Continued(path, new() { Messages = Begun, AddGenerationPrompt = true }),
            Answers(Answerer(path, new() { ContinueFinalMessage = false }), Begun)[0]);
        Assert.Equal(
            Continued(path, new() { Messages = Question }), Answers(Answerer(path, new() { AddGenerationPrompt = false }), Question)[0]);
        var switches = new Dictionary<string, JsonNode?> { ["enable_thinking"] = false };
        Assert.Equal(
            Continued(path, new()
            {
                Messages = Question, AddGenerationPrompt = true, Variables = new Dictionary<string,
                    string> { ["enable_thinking"] = "false" },
            }),
            Answers(Answerer(path, new() { Variables = switches }), Question)[0]);
    }

    [Fact]
    public void Parts_of_texts_are_joined_where_the_template_takes_texts_alone()
    {
        var path = TinyChatModel.Make(_folder["chatml"]);
        Assert.Equal(
            Continued(path, new() { Messages = """[{"role": "user", "content": "Who are\nyou?"}]""", AddGenerationPrompt = true }),
            Answers(Answerer(path), Parts)[0]);
        var takesParts = TinyChatModel.Make(_folder["tekken"], "tekken");
        Assert.Equal(
            Continued(takesParts, new() { Messages = Parts, AddGenerationPrompt = true }), Answers(Answerer(takesParts), Parts)[0]);
    }

    [Fact]
    public void The_arguments_of_a_tool_call_are_read_of_their_text()
    {
        var path = TinyChatModel.Make(_folder["qwen25"], "qwen25");
        string Chat(string arguments) =>
            $$$"""
            [{"role": "user", "content": "q"}, {"role": "assistant", "content": null, "tool_calls": [{"type": "function", "id": "1",
              "function": {"name": "f", "arguments": {{{arguments}}} }}]}, {"role": "tool", "tool_call_id": "1", "content": "7"}]
            """;
        Assert.Equal(
            Continued(path, new() { Messages = Chat("""{"a": 1.0}"""), AddGenerationPrompt = true }),
            Answers(Answerer(path), Chat(""" "{\"a\": 1.0}" """))[0]);
    }

    [Fact]
    public void Generation_ends_at_any_token_that_generation_config_names_and_at_the_end_of_a_turn()
    {
        var path = TinyChatModel.Make(_folder["chatml"]);
        using var whole = Answerer(path);
        var ids = whole.Transform(Rows(Question)).GetColumn<int[]>("Ids").Single();
        Assert.Equal(12, ids.Length);
        var last = ids[5];
        File.WriteAllText(Path.Combine(path, "generation_config.json"), $$"""{"eos_token_id": [{{last}}, 2]}""");
        using var ending = Answerer(path);
        var ended = ending.Transform(Rows(Question)).GetColumn<int[]>("Ids").Single();
        Assert.Equal(ids[..(Array.IndexOf(ids, last) + 1)], ended);

        // The ends stay with the model, in a zip and in a folder.
        _ml.Model.Save(ending, null, _folder["ending.zip"]);
        using var loaded = (IDisposable)_ml.Model.Load(_folder["ending.zip"], out _);
        Assert.Equal(ended, ((ITransformer)loaded).Transform(Rows(Question)).GetColumn<int[]>("Ids").Single());
        _ml.Generation.SaveModelFolder(ending, _folder["ending"]);
        using var ofFolder = Answerer(_folder["ending"]);
        Assert.Equal(ended, ofFolder.Transform(Rows(Question)).GetColumn<int[]>("Ids").Single());
    }

    [Fact]
    public void A_prediction_engine_gives_what_Transform_gives()
    {
        using var fitted = Answerer(TinyChatModel.Make(_folder["chatml"]));
        var engine = _ml.Model.CreatePredictionEngine<ChatRow, AnswerRow>(fitted, new PredictionEngineOptions { OwnsTransformer = false });
        Assert.Equal(Answers(fitted, Question, Begun), [
            engine.Predict(new() { Messages = Question }).Answer, engine.Predict(new() { Messages = Begun }).Answer]);
    }

    [Fact]
    public async Task Streams_and_single_answers_give_what_Transform_gives()
    {
        using var fitted = Answerer(TinyChatModel.Make(_folder["chatml"]));
        var answer = Answers(fitted, Question)[0];
        ChatTurn[] chat = [new("system", "Be short."), new("user", "Who are you?")];

        Assert.Equal(answer, _ml.Generation.GenerateChat(fitted, chat));
        Assert.Equal(answer, fitted.Model.GenerateChat(chat, fitted.Generation));
        Assert.Equal(answer, fitted.Model.GenerateChat(Question, fitted.Generation));
        Assert.Equal(answer, await Joined(_ml.Generation.StreamChatAsync(fitted, chat)));
        Assert.Equal(answer, await Joined(_ml.Generation.StreamAsync(fitted, Question)));
        Assert.Equal(answer, await Joined(fitted.Model.StreamChatAsync(chat, fitted.Generation)));
        Assert.Equal(answer, await Joined(fitted.Model.StreamChatAsync(Question, fitted.Generation)));
    }

    [Fact]
    public async Task A_model_of_plain_texts_answers_chats_too_if_it_has_a_template()
    {
        var path = TinyChatModel.Make(_folder["chatml"]);
        using var plain =
            _ml.Transforms.Text.GenerateText("Answer", "Messages", path, new() { Generation = new() { MaximumNewTokens = 12 } })
            .Fit(Rows(Question));
        Assert.Equal(
            Answers(Answerer(path), Begun)[0], _ml.Generation.GenerateChat(plain, [new("user", "Who are you?"), new("assistant", "I am")]));
        TinyChatModel.Make(_folder["none"], "zephyr", template: "");
        using var without = _ml.Generation.LoadPretrained(_folder["none"]);
        Assert.Contains("no chat template", Assert.Throws<ArgumentException>(() => without.GenerateChat(Question)).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => without.StreamChatAsync([new("user", null!)]));
        Assert.Contains("no chat template", Assert.Throws<ArgumentException>(() => Answerer(_folder["none"])).Message, // when it is fitted
            StringComparison.Ordinal);
        Assert.Contains("line 1", Assert.Throws<ArgumentException>(() => Answerer(path, new() { Template = "{% if %}" })).Message,
            StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidDataException>(async () => await Joined(_ml.Generation.StreamChatAsync(plain, [])));
    }

    [Fact]
    public void What_is_wrong_with_a_chat_is_told_with_its_row()
    {
        using var fitted = Answerer(TinyChatModel.Make(_folder["chatml"]));
        var error = Assert.Throws<InvalidOperationException>(() => Answers(fitted, Question, Begun, """[{"role": 7}]"""));
        Assert.Equal("Row 2 of column 'Messages': Message 0 has no text 'role'.", error.Message);
        Assert.Contains("Row 0 of column 'Messages'", Assert.Throws<InvalidOperationException>(() => Answers(fitted, "")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fresh_process_answers_as_the_model_that_was_saved()
    {
        var path = TinyChatModel.Make(_folder["mixed"], "mixed");
        var options = new GenerateTextOptions { ChatColumnName = "Opening", Generation = new() { MaximumNewTokens = 12 } };
        var rows = _ml.Data.LoadFromEnumerable([new Story { Opening = Question }, new Story { Opening = Begun }]);
        using var fitted = _ml.Transforms.Text.GenerateText("Answer", model: path, options: options).Fit(rows);
        _ml.Generation.Save(fitted, rows.Schema, _folder["chat.zip"]);

        var (texts, _) = await LoadingProcess.RunAsync(_folder["chat.zip"], "Answer", [Question, Begun]);

        Assert.Equal(fitted.Transform(rows).GetColumn<string>("Answer"), texts);
    }

    [Fact]
    public void An_ONNX_export_answers_as_the_model_does_saved_and_loaded_too()
    {
        TinyChatModel.Make(_folder["named"], "named");
        Directory.CreateDirectory(_folder["named/additional_chat_templates"]);
        File.WriteAllText(_folder["named/additional_chat_templates/short.jinja"], "{{ messages[0].content }}");
        using var fitted = Answerer(_folder["named"]);
        _ml.Generation.ExportToOnnx(fitted, _folder["onnx"]);
        using var onnx = _ml.Generation.LoadOnnx(_folder["onnx"], "Answer", "Messages", new()
        {
            ChatColumnName = "Messages", Generation = new() { MaximumNewTokens = 12 },
        });
        Assert.Equal(Answers(fitted, Question, Begun), Answers(onnx, Question, Begun));
        _ml.Model.Save(onnx, null, _folder["onnx.zip"]);
        using var loaded = (OnnxTextGeneratorTransformer)_ml.Model.Load(_folder["onnx.zip"], out _);
        Assert.Equal(Answers(fitted, Question, Begun), Answers(loaded, Question, Begun));
        Assert.Contains("short", ChatFormat.Find(loaded.Model.Tokenizer)!.TemplateNames);
    }

    [Theory]
    [InlineData("../../evil")]
    [InlineData("a/b.jinja")]
    [InlineData("additional_chat_templates/../../evil.jinja")]
    [InlineData("additional_chat_templates/a.json")]
    [InlineData("/a")]
    [InlineData("a\\b")]
    public void A_zip_with_a_file_outside_of_its_folder_is_refused(string name)
    {
        using var fitted = Answerer(TinyChatModel.Make(_folder["chatml"]));
        _ml.Model.Save(fitted, null, _folder["chat.zip"]);
        ManifestEditor.Copy(_folder["chat.zip"], _folder["hostile.zip"], json => json.Replace(
            "\"Name\":\"tokenizer.json\"", $"\"Name\":{JsonSerializer.Serialize(name)}", StringComparison.Ordinal));
        var error = Assert.ThrowsAny<Exception>(() => _ml.Model.Load(_folder["hostile.zip"], out _));
        Assert.Contains($"it has a file named '{name}'", $"{error}", StringComparison.Ordinal);
    }

    private static async Task<string> Joined(IAsyncEnumerable<string> pieces)
    {
        var text = "";
        await foreach (var piece in pieces)
            text += piece;
        return text;
    }

    /// <summary>What the engine writes after the tokens of a chat.</summary>
    private static string Continued(string path, ChatInput input)
    {
        using var model = TextGenerationModel.Load(path);
        var format = ChatFormat.Load(path);
        var ids = format.Encode(input);
        var end = format.FindEndOfTurn().TokenId!.Value;
        var tokens = new TokenGenerator((CausalLanguageModel)model.Network).Generate([ids], new GenerationOptions
        {
            MaximumNewTokens = 12, EndOfSequenceIds = [end, model.Tokenizer.EndOfSequenceId!.Value],
        })[0][0].TokenIds;
        var whole = model.Tokenizer.Decode([.. ids, .. tokens], skipSpecialTokens: true);
        return whole[model.Tokenizer.Decode(ids, skipSpecialTokens: true).Length..];
    }

    private IReadOnlyList<string> Answers(ITransformer model, params string[] chats) =>
        [.. model.Transform(Rows(chats)).GetColumn<string>("Answer")];

    private TextGeneratorTransformer Answerer(string path, ChatTemplateOptions? chat = null) => _ml.Transforms.Text.GenerateText(
        "Answer", model: path, options: new()
        {
            ChatColumnName = "Messages", Chat = chat, Generation = new() { MaximumNewTokens = 12 }, TokenIdsColumnName = "Ids",
        }).Fit(Rows(Question));

    private IDataView Rows(params string[] chats) =>
        _ml.Data.LoadFromEnumerable(chats.Select(chat => new ChatRow { Messages = chat }).ToList());

    private sealed class ChatRow
    {
        public string Messages { get; set; } = "";
    }

    private sealed class AnswerRow
    {
        public string Answer { get; set; } = "";
    }
}
