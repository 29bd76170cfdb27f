using System.ClientModel;
using OpenAI;
using OpenAI.Chat;

namespace Serve;

/// <summary>Asks the server as any program does that knows OpenAI.</summary>
internal static class Demonstration
{
    public const string Opening = "The old king had three daughters, and";

    public static async Task RunAsync(Uri address, ServedModels models, TextWriter output, CancellationToken cancellationToken)
    {
        var client = new OpenAIClient(
            new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(address, "/v1") });
        await output.WriteLineAsync($"The OpenAI client asks {address} for a chat completion of '{models.Chat.Id}', as a stream.\n");
        await output.WriteAsync(Opening);
        ChatTokenUsage? usage = null;
        var updates = client.GetChatClient(models.Chat.Id).CompleteChatStreamingAsync(
            [new UserChatMessage(Opening)], new ChatCompletionOptions { MaxOutputTokenCount = 120, Temperature = 0.8f },
            cancellationToken);
        await foreach (var update in updates.ConfigureAwait(false))
        {
            foreach (var part in update.ContentUpdate)
                await output.WriteAsync(part.Text);
            usage = update.Usage ?? usage;
        }

        await output.WriteLineAsync($"\n\n{usage?.InputTokenCount} tokens were read and {usage?.OutputTokenCount} written.");
        await CompareAsync(client, models, output, cancellationToken);
    }

    /// <summary>Which of some texts is nearest to a question, by their embeddings.</summary>
    private static async Task CompareAsync(
        OpenAIClient client, ServedModels models, TextWriter output, CancellationToken cancellationToken)
    {
        string[] texts = ["Where does the king live?", "The king lives in a castle.", "A fox ate the grapes.", "It rained all night."];
        var made = await client.GetEmbeddingClient(models.Embeddings.Id).GenerateEmbeddingsAsync(
            texts, cancellationToken: cancellationToken);
        var vectors = made.Value.Select(embedding => embedding.ToFloats().ToArray()).ToList();
        await output.WriteLineAsync($"\nHow near texts are to '{texts[0]}', by embeddings of {vectors[0].Length} numbers:");
        foreach (var (text, vector) in texts.Zip(vectors).Skip(1))
            await output.WriteLineAsync($"  {vectors[0].Zip(vector, (a, b) => a * b).Sum():0.000}  {text}");
    }
}
