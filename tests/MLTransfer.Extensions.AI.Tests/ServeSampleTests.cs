using System.ClientModel;
using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.ML;
using MLTransfer.Tests.Audio;
using MLTransfer.Tests.Images;
using MLTransfer.Tests.Text.Chats;
using MLTransfer.Torch.Sounds;
using OpenAI;
using OpenAI.Chat;
using Serve;
using SkiaSharp;
using Xunit;

namespace MLTransfer.Extensions.AI.Tests;

/// <summary>The official OpenAI client for .NET talks to <c>samples/Serve</c>.</summary>
public sealed class ServeSampleTests : IAsyncDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private ServedModels? _models;
    private WebApplication? _application;

    public async ValueTask DisposeAsync()
    {
        if (_application is not null)
            await _application.DisposeAsync();
        _models?.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Chats_are_answered_whole_and_as_streams()
    {
        var client = await StartAsync(TinyChatModel.Make(_folder["chat-model"]));
        using var model = TextGenerationModel.Load(_folder["chat-model"]);
        var chat = client.GetChatClient("text");
        ChatMessage[] messages = [new SystemChatMessage("Be short."), new UserChatMessage("Who are you?")];
        var expected = model.GenerateChat(
            [new("system", "Be short."), new("user", "Who are you?")], new() { MaximumNewTokens = 16 });
        var options = new ChatCompletionOptions { MaxOutputTokenCount = 16, Temperature = 0 };

        ChatCompletion whole = await chat.CompleteChatAsync(messages, options);
        var updates = await chat.CompleteChatStreamingAsync(messages, options).ToListAsync();
        ChatCompletion stopped = await chat.CompleteChatAsync(
            messages, new() { MaxOutputTokenCount = 16, Temperature = 0, StopSequences = { expected[4..7] } });

        Assert.Equal(expected, whole.Content[0].Text);
        Assert.Equal((ChatFinishReason.Length, 16), (whole.FinishReason, whole.Usage.OutputTokenCount));
        Assert.Equal(expected, string.Concat(updates.SelectMany(update => update.ContentUpdate).Select(part => part.Text)));
        Assert.True(updates.Count(update => update.ContentUpdate.Count > 0) > 5, "the answer does not come in pieces");
        Assert.Equal(ChatFinishReason.Length, Assert.Single(updates, update => update.FinishReason is not null).FinishReason);
        Assert.Equal(whole.Usage.TotalTokenCount, Assert.Single(updates, update => update.Usage is not null).Usage.TotalTokenCount);
        Assert.Equal(ChatFinishReason.Stop, stopped.FinishReason);
        Assert.StartsWith(stopped.Content[0].Text, expected, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Functions_are_called_and_their_results_are_read()
    {
        var weather = ToolModel.Weather();
        File.Copy(ToolModel.Zip(_folder, "qwen25"), _folder["text.zip"]);
        var chat = (await StartAsync()).GetChatClient("text");
        var options = new ChatCompletionOptions
        {
            Temperature = 0,
            Tools = { ChatTool.CreateFunctionTool(weather.Name, weather.Description, BinaryData.FromString($"{weather.JsonSchema}")) },
        };
        List<ChatMessage> messages = [new UserChatMessage(ToolModel.Question)];

        ChatCompletion asked = await chat.CompleteChatAsync(messages, options);
        var streamed = await chat.CompleteChatStreamingAsync(messages, options).ToListAsync();
        messages.AddRange([new AssistantChatMessage(asked), new ToolChatMessage(asked.ToolCalls[0].Id, "sunny in Paris")]);
        ChatCompletion told = await chat.CompleteChatAsync(messages, options);

        Assert.Equal(ChatFinishReason.ToolCalls, asked.FinishReason);
        Assert.Equal(("get_weather", """{"city":"Paris"}"""), (
            asked.ToolCalls[0].FunctionName, $"{asked.ToolCalls[0].FunctionArguments}"));
        Assert.Equal("get_weather", Assert.Single(streamed.SelectMany(update => update.ToolCallUpdates)).FunctionName);
        Assert.Equal("It is sunny.", told.Content[0].Text.Trim());
    }

    [Fact]
    public async Task Models_are_listed_and_bad_requests_are_told_why()
    {
        var client = await StartAsync(TinyChatModel.Make(_folder["chat-model"]));

        Assert.Equal(["text"], (await client.GetOpenAIModelClient().GetModelsAsync()).Value.Select(model => model.Id));
        Assert.Equal("text", (await client.GetOpenAIModelClient().GetModelAsync("text")).Value.Id);
        await AssertFails(404, "no model 'another'", () => client.GetChatClient("another").CompleteChatAsync("Hello"));
        await AssertFails(404, "no model 'text'", () => client.GetImageClient("text").GenerateImageAsync("Hello"));
        var options = new ChatCompletionOptions { FrequencyPenalty = 1 };
        await AssertFails(400, "FrequencyPenalty", () =>
            client.GetChatClient("text").CompleteChatAsync([new UserChatMessage("Hello")], options));
        await AssertFails(400, "FrequencyPenalty", async () =>
            await client.GetChatClient("text").CompleteChatStreamingAsync([new UserChatMessage("Hello")], options).ToListAsync());
        await AssertFails(400, "logit_bias", () => client.GetChatClient("text").CompleteChatAsync(
            [new UserChatMessage("Hello")], new() { LogitBiases = { [5] = 10 } }));
        await AssertFails(400, "Text 1 is empty", () => client.GetEmbeddingClient("text").GenerateEmbeddingsAsync(["a", ""]));
    }

    [Fact]
    public async Task Embeddings_pictures_and_speech_are_given()
    {
        var captions = _ml.Data.LoadFromEnumerable([new CaptionedRow { Caption = "a red square" }]);
        using (var painter = _ml.Transforms.GenerateImages("Picture", "Caption", TinyCaptions.Save(_folder["dalle"])).Fit(captions))
            _ml.Generation.Save(painter, captions.Schema, _folder["painter.zip"]);
        var words = _ml.Data.LoadFromEnumerable([new TuneRow { Opening = "abc" }]);
        using (var speaker = _ml.Transforms.GenerateAudio("Made", "Opening", TinyAudio.Speech).Fit(words))
            _ml.Generation.Save(speaker, words.Schema, _folder["voice.zip"]);
        var client = await StartAsync(TinyChatModel.Make(_folder["chat-model"]), _folder["painter.zip"], _folder["voice.zip"]);
        using var model = TextGenerationModel.Load(_folder["chat-model"]);

        var embeddings = await client.GetEmbeddingClient("text").GenerateEmbeddingsAsync(["Who are you?", "Far."]);
        var picture = await client.GetImageClient("painter").GenerateImageAsync(
            "a red square", new() { ResponseFormat = OpenAI.Images.GeneratedImageFormat.Bytes });
        var speech = await client.GetAudioClient("voice").GenerateSpeechAsync("abc", new OpenAI.Audio.GeneratedSpeechVoice("1"));

        Assert.Equal(
            model.Embed(["Who are you?", "Far."]).Select(embedding => embedding.Vector),
            embeddings.Value.Select(embedding => embedding.ToFloats().ToArray()));
        using var bitmap = SKBitmap.Decode(picture.Value.ImageBytes.ToArray());
        Assert.Equal((16, 16), (bitmap.Width, bitmap.Height));
        File.WriteAllBytes(_folder["speech.wav"], speech.Value.ToArray());
        Assert.True(WaveformFile.Read(_folder["speech.wav"]).Frames > 0);
    }

    [Fact]
    public async Task The_demonstration_prints_a_stream_of_the_embedded_model_and_the_nearest_text()
    {
        // It has an output folder like that of the tests, next to it.
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var program = Path.Combine(AppContext.BaseDirectory, "..", "..", "Serve", configuration, "Serve.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [program, "--demo"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, Environment = { ["OMP_NUM_THREADS"] = "1" },
        })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(process.ExitCode == 0, await errors);
        var lines = (await output).Split('\n');
        Assert.Contains(lines, line => line.StartsWith("The old king had three daughters, and ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.EndsWith("120 written.", StringComparison.Ordinal));
        Assert.StartsWith("The king lives in a castle.", lines.Where(line => line.StartsWith("  0.", StringComparison.Ordinal)).Max()![9..],
            StringComparison.Ordinal);
    }

    /// <param name="model">The folder of a chat model; null where there is a zip.</param>
    /// <param name="image">A model zip.</param>
    /// <param name="speech">A model zip.</param>
    private async Task<OpenAIClient> StartAsync(string? model = null, string? image = null, string? speech = null)
    {
        if (model is not null)
        {
            var rows = _ml.Data.LoadFromEnumerable([new TextRow()]);
            using var fitted = _ml.Transforms.Text.GenerateText("Answer", "Prompt", model).Fit(rows);
            _ml.Generation.Save(fitted, rows.Schema, _folder["text.zip"]);
        }

        _models = ServedModels.Load(_folder["text.zip"], image, speech);
        _application = ServeApplication.Create(_models, "http://127.0.0.1:0");
        await _application.StartAsync();
        return new OpenAIClient(new ApiKeyCredential("none"), new OpenAIClientOptions
        {
            Endpoint = new Uri($"{_application.Urls.Single()}/v1"),
        });
    }

    private static async Task AssertFails(int status, string message, Func<Task> ask)
    {
        var failure = await Assert.ThrowsAsync<ClientResultException>(ask);
        Assert.Equal(status, failure.Status);
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }
}
