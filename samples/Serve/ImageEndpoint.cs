using System.Drawing;
using System.Globalization;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;

namespace Serve;

/// <summary>The body of a request for pictures. <c>seed</c> is none of OpenAI's.</summary>
public sealed record ImageRequest(
    string? Model, string? Prompt, int? N, string? Size, long? Seed,
    [property: JsonPropertyName("response_format")] string? ResponseFormat,
    [property: JsonPropertyName("output_format")] string? OutputFormat);

/// <summary><c>/v1/images/generations</c>.</summary>
internal static class ImageEndpoint
{
    public static async Task<IResult> AnswerAsync(Served<IImageGenerator>? served, ImageRequest request, CancellationToken gone)
    {
        var generator = UnknownModelException.Check(served, request.Model);
        if (request.ResponseFormat == "url")
            throw new NotSupportedException("Pictures are given as data: ask for the response_format 'b64_json'.");
        var made = await generator.GenerateAsync(new ImageGenerationRequest(request.Prompt ?? ""), new ImageGenerationOptions
        {
            Count = request.N,
            ImageSize = request.Size is null or "auto" ? null : SizeOf(request.Size),
            MediaType = request.OutputFormat is null ? null : $"image/{request.OutputFormat}",
            AdditionalProperties = new() { ["seed"] = request.Seed ?? Random.Shared.NextInt64() },
        }, gone);
        return TypedResults.Ok(new
        {
            created = DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
            data = made.Contents.OfType<DataContent>().Select(picture => new { b64_json = picture.Base64Data.ToString() }),
        });
    }

    /// <summary>From a text such as <c>256x256</c>.</summary>
    private static Size SizeOf(string text)
    {
        int[] sides = [.. text.Split('x').Select(side => int.TryParse(side, NumberStyles.None, CultureInfo.InvariantCulture, out var pixels)
            ? pixels : throw new ArgumentException($"'size' is '{text}'; expected a width and a height, such as 256x256."))];
        return sides is [var width, var height] ? new Size(width, height)
            : throw new ArgumentException($"'size' is '{text}'; expected a width and a height, such as 256x256.");
    }
}
