using Microsoft.Extensions.AI;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLTransfer.Tests.Text.Chats;
using MLTransfer.Torch.Chats;
using MLTransfer.Torch.ChatTemplates;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Extensions.AI.Tests;

public sealed class ChatClientTests : IDisposable
{
    private static readonly ChatMessage[] s_question = [new(ChatRole.System, "Be short."), new(ChatRole.User, "Who are you?")];
    private static readonly ChatTurn[] s_turns = [new("system", "Be short."), new("user", "Who are you?")];

    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly string _path;

    public ChatClientTests() => _path = TinyChatModel.Make(_folder["chat-model"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Answers_and_streams_are_the_models_with_usage_and_the_reason_of_their_end()
    {
        using var model = TextGenerationModel.Load(_path);
        var expected = model.GenerateChat(s_turns, new() { MaximumNewTokens = 20 });
        var read = ChatFormat.Load(_path).Encode(new ChatInput
        {
            Messages = """[{"role": "system", "content": "Be short."}, {"role": "user", "content": "Who are you?"}]""",
            AddGenerationPrompt = true,
        }).Length;
        using var client = model.AsChatClient();

        var response = await client.GetResponseAsync(s_question, new() { MaxOutputTokens = 20 });
        var updates = await client.GetStreamingResponseAsync(s_question, new() { MaxOutputTokens = 20 }).ToListAsync();
        var instructed = await client.GetResponseAsync("Who are you?", new() { MaxOutputTokens = 20, Instructions = "Be short." });

        Assert.Equal(expected, response.Text);
        Assert.Equal(expected, instructed.Text);
        Assert.Equal(expected, string.Concat(updates.Select(update => update.Text)));
        Assert.True(updates.Count > 5, "the answer does not come in pieces");
        foreach (var whole in (ChatResponse[])[response, updates.ToChatResponse()])
        {
            Assert.Equal(ChatFinishReason.Length, whole.FinishReason);
            Assert.Equal((read, 20, read + 20), (whole.Usage!.InputTokenCount, whole.Usage.OutputTokenCount, whole.Usage.TotalTokenCount));
            Assert.Equal("chat-model", whole.ModelId);
            Assert.Equal(ChatRole.Assistant, Assert.Single(whole.Messages).Role);
        }
    }

    [Fact]
    public async Task Options_of_a_request_decide_on_the_answer()
    {
        using var model = TextGenerationModel.Load(_path);
        using var client = model.AsChatClient(generation: new() { MaximumNewTokens = 30, StopStrings = ["###"] });
        var greedy = await client.GetResponseAsync(s_question);
        var sampled = new GenerationOptions
        {
            MaximumNewTokens = 12, Sample = true, Temperature = 0.7, TopP = 0.9, TopK = 30, Seed = 5,
        };
        var stop = greedy.Text[6..9];

        Assert.Equal(
            model.GenerateChat(s_turns, sampled),
            (await client.GetResponseAsync(s_question, new()
            {
                Temperature = 0.7f, TopP = 0.9f, TopK = 30, Seed = 5, MaxOutputTokens = 12,
            })).Text);
        Assert.Equal(
            model.GenerateChat(s_turns, sampled),
            (await client.GetResponseAsync(s_question, new() { RawRepresentationFactory = _ => sampled })).Text);
        Assert.Equal(greedy.Text, (await client.GetResponseAsync(s_question, new() { Temperature = 0, TopP = 0.5f, Seed = 5 })).Text);
        var stopped = await client.GetResponseAsync(s_question, new() { StopSequences = [stop] });
        Assert.Equal(greedy.Text[..greedy.Text.IndexOf(stop, StringComparison.Ordinal)], stopped.Text);
        Assert.Equal(ChatFinishReason.Stop, stopped.FinishReason);
    }

    public static TheoryData<string, ChatOptions> OptionsThatCannotBeObeyed => new()
    {
        { "FrequencyPenalty", new() { FrequencyPenalty = 0.5f } },
        { "PresencePenalty", new() { PresencePenalty = 0.5f } },
        { "ResponseFormat", new() { ResponseFormat = ChatResponseFormat.Json } },
        { "Reasoning", new() { Reasoning = new() { Effort = ReasoningEffort.High } } },
        { "ConversationId", new() { ConversationId = "1" } },
        { "ModelId", new() { ModelId = "another" } },
        { "ToolMode", new() { ToolMode = ChatToolMode.RequireAny } },
        { "Tools", new() { Tools = [new HostedWebSearchTool()] } },
        { "Tools", new() { Tools = [AIFunctionFactory.Create(() => 1, "one")] } }, // the template writes nothing of them
        { "RawRepresentationFactory", new() { RawRepresentationFactory = _ => "text" } },
    };

    [Theory]
    [MemberData(nameof(OptionsThatCannotBeObeyed), DisableDiscoveryEnumeration = true)]
    public async Task What_would_change_the_answer_and_cannot_be_obeyed_is_refused_by_name(string option, ChatOptions options)
    {
        using var client = TextGenerationModel.Load(_path).AsChatClient(ownsModel: true);

        var whole = await Assert.ThrowsAsync<NotSupportedException>(() => client.GetResponseAsync(s_question, options));
        var streamed = await Assert.ThrowsAsync<NotSupportedException>(async () =>
            await client.GetStreamingResponseAsync(s_question, options).ToListAsync());

        Assert.StartsWith(option, whole.Message, StringComparison.Ordinal);
        Assert.Equal(whole.Message, streamed.Message);
    }

    [Fact]
    public async Task Pictures_in_messages_are_refused()
    {
        using var client = TextGenerationModel.Load(_path).AsChatClient(ownsModel: true);
        var message = new ChatMessage(ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")]);

        Assert.Contains("DataContent", (await Assert.ThrowsAsync<NotSupportedException>(() =>
            client.GetResponseAsync([message]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fitted_chain_and_its_zip_answer_alike_several_at_once_in_any_number_format()
    {
        var rows = _ml.Data.LoadFromEnumerable([new TextRow { Prompt = """[{"role": "user", "content": "Who are you?"}]""" }]);
        using var fitted = _ml.Transforms.CopyColumns("Chat", "Prompt").Append(_ml.Transforms.Text.GenerateText(
            "Answer", model: _path, options: new()
            {
                ChatColumnName = "Chat", DecodingPrecision = DecodingPrecision.Int8,
                Generation = new() { MaximumNewTokens = 16, Sample = true },
            })).Fit(rows);
        var expected = fitted.Transform(rows).GetColumn<string>("Answer").Single();
        _ml.Generation.Save(fitted, rows.Schema, _folder["assistant.zip"]);
        var loaded = _ml.Model.Load(_folder["assistant.zip"], out _);
        using var first = fitted.AsChatClient();
        using var second = loaded.AsChatClient(ownsModel: true);

        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(async i => i % 2 == 0
            ? (await (i < 3 ? first : second).GetResponseAsync("Who are you?")).Text
            : string.Concat(await (i < 3 ? first : second).GetStreamingResponseAsync("Who are you?").Select(u => u.Text).ToListAsync())));

        Assert.All(answers, answer => Assert.Equal(expected, answer));
        Assert.Same(fitted, first.GetService<ITransformer>());
        Assert.Same(fitted.LastTransformer, first.GetService<TextGeneratorTransformer>());
    }

    [Fact]
    public async Task A_cancelled_request_ends_before_the_next_token()
    {
        using var model = TextGenerationModel.Load(_path);
        using var client = model.AsChatClient(generation: new() { MaximumNewTokens = 1 << 20, EndOfSequenceIds = [] });
        using var inStream = new CancellationTokenSource();
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var update in client.GetStreamingResponseAsync(s_question, cancellationToken: inStream.Token))
                await inStream.CancelAsync();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.GetResponseAsync(s_question, cancellationToken: soon.Token));
        await foreach (var update in client.GetStreamingResponseAsync(s_question))
            break; // ends the work; else disposing the model below would leave it running
    }

    [Fact]
    public async Task Beams_come_whole_and_are_left_for_sampling()
    {
        using var model = TextGenerationModel.Load(_path);
        var beams = new GenerationOptions { MaximumNewTokens = 8, BeamCount = 3, SequencesPerPrompt = 2 };
        using var client = model.AsChatClient(generation: beams);

        var streamed = await client.GetStreamingResponseAsync(s_question).ToListAsync();

        Assert.Equal(model.GenerateChat(s_turns, beams), streamed.ToChatResponse().Text);
        Assert.Equal(
            model.GenerateChat(s_turns, new() { MaximumNewTokens = 8, Sample = true, Temperature = 0.5, Seed = 3 }),
            (await client.GetResponseAsync(s_question, new() { Temperature = 0.5f, Seed = 3 })).Text);
    }

    [Fact]
    public async Task A_model_without_a_template_goes_on_with_the_words()
    {
        using var model = new MLContext().Generation.LoadPretrained();
        var generation = new GenerationOptions { MaximumNewTokens = 8 };
        using var client = model.AsChatClient(generation: generation);
        var begun = model.Generate("Once there was a king,", generation);

        Assert.Equal(begun, (await client.GetResponseAsync("Once there was a king,")).Text);
        Assert.Equal(
            model.Generate($"A tale.\nOnce there was a king,{begun}\nThe queen", generation),
            (await client.GetResponseAsync(
            [
                new(ChatRole.User, "Once there was a king,"), new(ChatRole.Assistant, begun), new(ChatRole.User, "The queen"),
            ], new() { Instructions = "A tale." })).Text);
        var refused = await Assert.ThrowsAsync<NotSupportedException>(() =>
            client.GetResponseAsync("x", new() { Tools = [AIFunctionFactory.Create(() => 1, "one")] }));
        Assert.StartsWith("Tools", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_ONNX_export_answers_as_the_model_and_has_no_hidden_states()
    {
        using var model = TextGenerationModel.Load(_path);
        _ml.Generation.ExportToOnnx(model, _folder["onnx"]);
        using var onnx = _ml.Generation.LoadOnnx(_folder["onnx"], options: new() { Generation = new() { MaximumNewTokens = 8 } });
        using var client = onnx.AsChatClient();

        Assert.Equal(model.GenerateChat(s_turns, new() { MaximumNewTokens = 8 }), (await client.GetResponseAsync(s_question)).Text);
        Assert.Equal("llama", client.GetService<ChatClientMetadata>()!.DefaultModelId);
        Assert.Contains(
            "no text generator or text infiller of TorchSharp", Assert.Throws<ArgumentException>(() => onnx.AsEmbeddingGenerator()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Services_are_found_and_disposal_is_told()
    {
        var model = TextGenerationModel.Load(_path);
        var guest = model.AsChatClient("guest");
        var owner = model.AsChatClient(ownsModel: true);

        Assert.Equal(("mltransfer", "guest"), (
            guest.GetService<ChatClientMetadata>()!.ProviderName, guest.GetService<ChatClientMetadata>()!.DefaultModelId));
        Assert.Same(model, guest.GetService<TextGenerationModel>());
        Assert.Same(guest, guest.GetService<IChatClient>());
        Assert.Null(guest.GetService<TextTokenizer>());
        Assert.Null(guest.GetService(typeof(IChatClient), "key"));

        guest.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => guest.GetResponseAsync(s_question));
        Assert.NotEmpty((await owner.GetResponseAsync(s_question, new() { MaxOutputTokens = 2 })).Messages);
        owner.Dispose();
        Assert.Throws<ObjectDisposedException>(() => model.GenerateChat(s_turns));
    }
}
