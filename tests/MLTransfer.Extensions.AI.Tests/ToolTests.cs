using Microsoft.Extensions.AI;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;
using Xunit;

namespace MLTransfer.Extensions.AI.Tests;

public sealed class ToolTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("qwen25")] // markers around each call
    [InlineData("llama3")] // the call is the answer
    public async Task Function_invocation_calls_what_the_model_asks_for_and_caching_answers_the_second_time(string dialect)
    {
        var calls = 0;
        var options = new ChatOptions { Tools = [ToolModel.Weather(() => calls++)] };
        var model = ToolModel.Load(_folder, dialect);
        var cache = new MemoryDistributedCache(Options.Create(new MemoryDistributedCacheOptions()));
        using var client = new ChatClientBuilder(model.AsChatClient(ownsModel: true)).UseFunctionInvocation().UseDistributedCache(cache)
            .Build();

        var response = await client.GetResponseAsync(ToolModel.Question, options);

        Assert.Equal("It is sunny.", response.Text.Trim());
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        Assert.Equal(
            [ChatRole.Assistant, ChatRole.Tool, ChatRole.Assistant], response.Messages.Select(message => message.Role));
        Assert.Equal(1, calls);
        var streamed = await client.GetStreamingResponseAsync(ToolModel.Question, options).ToChatResponseAsync();
        Assert.Equal("It is sunny.", streamed.Text.Trim());
        Assert.Equal(2, calls);

        ((IDisposable)model).Dispose();
        Assert.Equal(response.Text, (await client.GetResponseAsync(ToolModel.Question, options)).Text);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.GetResponseAsync("Something else?", options));
    }

    [Theory]
    [InlineData("qwen25")]
    [InlineData("mistral")] // a list behind a marker, and ids of nine characters
    public async Task A_call_comes_whole_and_in_streams_and_the_answer_ends_for_it(string dialect)
    {
        using var client = ToolModel.Load(_folder, dialect).AsChatClient(ownsModel: true);
        var options = new ChatOptions { Tools = [ToolModel.Weather()] };

        var response = await client.GetResponseAsync(ToolModel.Question, options);
        var updates = await client.GetStreamingResponseAsync(ToolModel.Question, options).ToListAsync();
        options.ToolMode = ChatToolMode.None;
        var forbidden = await client.GetResponseAsync(ToolModel.Question, options);

        foreach (var whole in (ChatResponse[])[response, updates.ToChatResponse()])
        {
            var call = Assert.IsType<FunctionCallContent>(Assert.Single(whole.Messages.Single().Contents));
            Assert.Equal(("get_weather", "Paris"), (call.Name, $"{call.Arguments!["city"]}"));
            Assert.Equal(ChatFinishReason.ToolCalls, whole.FinishReason);
        }

        Assert.True(response.Usage!.InputTokenCount > forbidden.Usage!.InputTokenCount); // is told of no tools
        Assert.DoesNotContain(forbidden.Messages.Single().Contents, content => content is FunctionCallContent);
    }
}
