using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;

namespace Serve;

/// <summary>The body of a request for embeddings.</summary>
public sealed record EmbeddingRequest(
    string? Model, JsonElement Input, int? Dimensions, [property: JsonPropertyName("encoding_format")] string? EncodingFormat);

/// <summary><c>/v1/embeddings</c>.</summary>
internal static class EmbeddingEndpoint
{
    public static async Task<IResult> AnswerAsync(
        Served<IEmbeddingGenerator<string, Embedding<float>>> served, EmbeddingRequest request, CancellationToken gone)
    {
        var generator = UnknownModelException.Check(served, request.Model);
        var made = await generator.GenerateAsync(
            RequestText.Texts(request.Input, "input"), new EmbeddingGenerationOptions { Dimensions = request.Dimensions }, gone);
        return TypedResults.Ok(new
        {
            @object = "list",
            model = served.Id,
            data = made.Select((embedding, index) => new
            {
                @object = "embedding", index, embedding = Numbers(embedding.Vector, request.EncodingFormat),
            }),
            usage = new { prompt_tokens = made.Usage?.InputTokenCount, total_tokens = made.Usage?.TotalTokenCount },
        });
    }

    /// <summary>A list, or the bytes of float32 as base64.</summary>
    private static object Numbers(ReadOnlyMemory<float> vector, string? format) =>
        format == "base64" ? Convert.ToBase64String(MemoryMarshal.AsBytes(vector.Span)) : vector.ToArray();
}
