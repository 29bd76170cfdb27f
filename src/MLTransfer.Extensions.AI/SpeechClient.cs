using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using MLTransfer.Audio.Generators;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Sounds;

namespace MLTransfer.Extensions.AI;

/// <summary>A VITS as a client that speaks.</summary>
internal sealed class SpeechClient : ITextToSpeechClient
{
    private const string WaveType = "audio/wav";

    private static readonly string[] s_waveNames = [WaveType, "audio/wave", "audio/x-wav", "wav"];

    private readonly ISpeechSource _source;
    private readonly ServedModel _served;
    private readonly TextToSpeechClientMetadata _metadata;

    public SpeechClient(ISpeechSource source, object model, string? modelId, bool ownsModel)
    {
        _source = source;
        _served = new ServedModel(model, modelId ?? "vits", ownsModel);
        _metadata = new TextToSpeechClientMetadata(ServedModel.ProviderName, defaultModelId: _served.ModelId);
    }

    public Task<TextToSpeechResponse> GetAudioAsync(
        string text, TextToSpeechOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Task.Run(() => Speak(text, options ?? new(), cancellationToken), cancellationToken);
    }

    /// <summary>A VITS makes a sound at once, so there is one piece.</summary>
    public async IAsyncEnumerable<TextToSpeechResponseUpdate> GetStreamingAudioAsync(
        string text, TextToSpeechOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var response = await GetAudioAsync(text, options, cancellationToken).ConfigureAwait(false);
        foreach (var update in response.ToTextToSpeechResponseUpdates())
            yield return update;
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        _served.Find(serviceType, serviceKey, this, _metadata, _source);

    public void Dispose() => _served.Dispose();

    private TextToSpeechResponse Speak(string text, TextToSpeechOptions options, CancellationToken cancellationToken)
    {
        _served.Check(this, options.ModelId);
        Refused.If(
            options.AudioFormat is { } format && !s_waveNames.Contains(format, StringComparer.OrdinalIgnoreCase),
            nameof(options.AudioFormat), $"sounds are given as WAV files ('{WaveType}'), not as '{options.AudioFormat}'.");
        Refused.If(options.Language is not null, nameof(options.Language), "a VITS speaks the language that it was trained on.");
        Refused.If(options.Pitch is not (null or 1), nameof(options.Pitch), "a VITS has the pitch of its voices.");
        Refused.If(options.Volume is not (null or 1), nameof(options.Volume), "sounds have the volume that the model gives them.");
        var speech = Refused.Raw(options.RawRepresentationFactory?.Invoke(this), _source.Speech ?? new SpeechOptions());
        if (options.Speed is { } speed)
            speech = speech with { SpeakingRate = speed };
        var sound = _source.Speak(text, options.VoiceId, RequestSeed.Of(options.AdditionalProperties), speech, cancellationToken);
        return new TextToSpeechResponse([new DataContent(WaveformFile.ToBytes(sound), WaveType)])
        {
            ResponseId = $"{Guid.NewGuid():N}", ModelId = _served.ModelId,
        };
    }
}
