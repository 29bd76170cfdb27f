using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Generation;

/// <summary>Speaks texts with a VITS.</summary>
/// <remarks>
/// Several threads may use a generator, and several generators a model, at once. Texts are spoken one after another: the same text gets the
/// same samples, to the bit, whatever is spoken beside it.
/// </remarks>
public sealed class SpeechGenerator
{
    private readonly ISpeechDecoder _decoder;
    private readonly SpeechTokenizer _tokenizer;

    /// <summary>Puts a model into evaluation mode and speaks with it.</summary>
    /// <param name="model">It stays the caller's.</param>
    /// <param name="tokenizer">The tokenizer that the model was trained with.</param>
    /// <exception cref="ArgumentException">The tokenizer has more tokens than the model.</exception>
    public SpeechGenerator(VitsModel model, SpeechTokenizer tokenizer)
        : this(new TorchSpeechDecoder(model), tokenizer)
    {
    }

    /// <param name="decoder">The network; it stays the caller's.</param>
    /// <param name="tokenizer">The tokenizer that the network was trained with.</param>
    /// <exception cref="ArgumentException">The tokenizer has more tokens than the network.</exception>
    internal SpeechGenerator(ISpeechDecoder decoder, SpeechTokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        if (tokenizer.VocabularySize > decoder.VocabularySize)
        {
            throw new ArgumentException(
                $"The tokenizer has {tokenizer.VocabularySize} tokens; the model knows {decoder.VocabularySize} (vocab_size). They are "
                + "not of one checkpoint.", nameof(tokenizer));
        }

        (_decoder, _tokenizer) = (decoder, tokenizer);
    }

    /// <summary>Samples a second of the sounds.</summary>
    public int SampleRate => _decoder.SampleRate;

    /// <summary>Speaks texts.</summary>
    /// <param name="texts">A text of which the model knows no character is silence of no length.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellationToken">Checked between two texts.</param>
    /// <returns>A sound of one channel for each text.</returns>
    /// <exception cref="ArgumentException">An option is not valid, or a text is null.</exception>
    /// <exception cref="NotSupportedException">The model reads phonemes or Latin letters alone, and nothing makes them.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed. Where that happens later, the call goes on.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public IReadOnlyList<Waveform> Generate(
        IReadOnlyList<string> texts, SpeechOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        return Generate([.. texts.Select(text => new SpeechRequest(text))], options, cancellationToken);
    }

    /// <summary>Speaks texts, each in a voice and with a seed of its own.</summary>
    /// <param name="requests">The texts.</param>
    /// <inheritdoc cref="Generate(IReadOnlyList{string}, SpeechOptions?, CancellationToken)"/>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellationToken">Checked between two texts.</param>
    public IReadOnlyList<Waveform> Generate(
        IReadOnlyList<SpeechRequest> requests, SpeechOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(requests);
        options ??= new SpeechOptions();
        options.Check();
        _decoder.Check(options);
        using var hold = _decoder.Hold();
        var seed = options.Seed ?? Random.Shared.NextInt64();
        var rows = requests.Select((request, index) => Read(request, index, options)).ToList(); // refuses before any is spoken
        var sounds = new List<Waveform>(rows.Count);
        foreach (var (ids, speaker, ownSeed) in rows)
        {
            cancellationToken.ThrowIfCancellationRequested();
            sounds.Add(Speak(ids, speaker, ownSeed ?? seed, options));
        }

        return sounds;
    }

    /// <summary>Speaks a text.</summary>
    /// <param name="text">The text.</param>
    /// <inheritdoc cref="Generate(IReadOnlyList{string}, SpeechOptions?, CancellationToken)"/>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellationToken">Checked before the work.</param>
    public Waveform Generate(string text, SpeechOptions? options = null, CancellationToken cancellationToken = default) =>
        Generate([text], options, cancellationToken)[0];

    private (int[] Ids, int? Speaker, long? Seed) Read(SpeechRequest request, int index, SpeechOptions options)
    {
        if (request?.Text is null)
            throw new ArgumentException($"Text {index} is null.", nameof(request));
        var speaker = request.Speaker ?? options.Speaker;
        if (speaker is { } voice && (uint)voice >= (uint)_decoder.SpeakerCount)
        {
            throw new ArgumentException(
                $"{nameof(SpeechOptions.Speaker)} is {voice}; the model has {_decoder.SpeakerCount} voices, from 0.", nameof(request));
        }

        return (_tokenizer.Encode(request.Text, options.TextsArePhonemes), _decoder.SpeakerCount > 1 ? speaker ?? 0 : null, request.Seed);
    }

    private Waveform Speak(int[] ids, int? speaker, long seed, SpeechOptions options)
    {
        if (ids.Length == 0)
            return new Waveform([], _decoder.SampleRate);
        var stream = SplitMix64.Mix([(ulong)seed, (ulong)((speaker ?? -1) + 1), .. ids.Select(id => (ulong)id)]);
        return _decoder.Speak(ids, speaker, (long)stream, options);
    }
}
