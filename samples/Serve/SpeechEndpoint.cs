using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;

namespace Serve;

/// <summary>The body of a request for speech.</summary>
public sealed record SpeechRequest(
    string? Model, string Input, string? Voice, float? Speed,
    [property: JsonPropertyName("response_format")] string? ResponseFormat);

/// <summary><c>/v1/audio/speech</c>.</summary>
internal static class SpeechEndpoint
{
    public static async Task<IResult> AnswerAsync(Served<ITextToSpeechClient>? served, SpeechRequest request, CancellationToken gone)
    {
        var client = UnknownModelException.Check(served, request.Model);
        var made = await client.GetAudioAsync(request.Input, new TextToSpeechOptions
        {
            VoiceId = request.Voice, Speed = request.Speed, AudioFormat = request.ResponseFormat,
        }, gone);
        var sound = made.Contents.OfType<DataContent>().Single();
        return TypedResults.Bytes(sound.Data, sound.MediaType);
    }
}
