using System.Diagnostics;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Generation.Images;

/// <summary>
/// Makes pictures from captions, completes and varies given ones, or makes them from nothing, with a network that writes their codes (as
/// DALL-E, arXiv 2102.12092).
/// </summary>
/// <remarks>Several threads may use a generator, and several generators a model, at once.</remarks>
public sealed class TextToImageGenerator
{
    /// <summary>Tells the stream of the places that a variation draws anew from that of codes.</summary>
    private const ulong PlaceStream = 1;

    private readonly ITextToImageDecoder _decoder;
    private readonly TextTokenizer? _tokenizer;

    /// <summary>Puts a model into evaluation mode and generates with it.</summary>
    /// <param name="model">It stays the caller's.</param>
    /// <param name="tokenizer">The tokenizer of captions; null where none are given.</param>
    public TextToImageGenerator(TextToImageModel model, TextTokenizer? tokenizer)
        : this(new TorchTextToImageDecoder(model), tokenizer)
    {
    }

    /// <param name="decoder">The network; it stays the caller's.</param>
    /// <param name="tokenizer">The tokenizer of captions; null where none are given.</param>
    internal TextToImageGenerator(ITextToImageDecoder decoder, TextTokenizer? tokenizer) => (_decoder, _tokenizer) = (decoder, tokenizer);

    /// <summary>Pixels along the side of the pictures that are made, and that prompts have.</summary>
    public int PictureSize => _decoder.PictureSize;

    /// <summary>Codes along a picture's side.</summary>
    public int CodesPerSide => _decoder.CodesPerSide;

    /// <summary>Generates pictures.</summary>
    /// <param name="prompts">What is asked for.</param>
    /// <param name="options">How to generate; null for the defaults.</param>
    /// <param name="progress">Told after every code of the pictures that are written together, on this thread.</param>
    /// <param name="cancellationToken">Ends the work between two codes.</param>
    /// <returns>The picture of each prompt.</returns>
    /// <exception cref="ArgumentException">An option or a prompt is not valid; the message has the prompt's number, counted from
    /// 0.</exception>
    /// <exception cref="InvalidOperationException">The model is in training mode again, or its logits are not numbers.</exception>
    /// <exception cref="NotSupportedException">A prompt has a picture, and the model's checkpoint has no encoder of pictures.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed. Where that happens later, the call goes on.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public IReadOnlyList<GeneratedImage> Generate(
        IReadOnlyList<ImagePrompt> prompts, ImageGenerationOptions? options = null, IProgress<ImageGenerationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        options ??= new ImageGenerationOptions();
        options.Check();
        using var hold = _decoder.Hold();
        var seed = options.Seed ?? Random.Shared.NextInt64();
        var rows = prompts.Select((prompt, index) => ToRow(prompt, index, options, seed)).ToList();
        var clock = Stopwatch.StartNew();
        long done = 0, total = 0;
        var search = new CodeSearch(_decoder, options, Advance, cancellationToken);
        total = rows.Sum(search.CodesOf);
        var results = new GeneratedImage[rows.Count];
        foreach (var batch in rows.Chunk(Together(options)))
        {
            search.Run(batch);
            foreach (var row in batch)
            {
                cancellationToken.ThrowIfCancellationRequested();
                results[row.Index] = new GeneratedImage(_decoder.DecodePicture(row.Codes), _decoder.PictureSize, row.Codes);
            }
        }

        return results;

        void Advance(int codes)
        {
            done += codes;
            progress?.Report(new ImageGenerationProgress(done, total, clock.Elapsed));
        }
    }

    private int Together(ImageGenerationOptions options) =>
        Math.Min(options.BatchSize, _decoder.MostRows / (options.GuidanceScale == 1 ? 1 : 2));

    private CodeRow ToRow(ImagePrompt prompt, int index, ImageGenerationOptions options, long seed)
    {
        if (prompt is null)
            throw new ArgumentException($"Prompt {index} is null.", nameof(prompt));
        try
        {
            var caption = CaptionTokens.Read(_decoder.CaptionVocabulary, int.MaxValue, _tokenizer, prompt.Text);
            var own = (ulong)(prompt.Seed ?? seed);
            var codes = prompt.Pixels is null ? null : _decoder.EncodePicture(Checked(prompt.Pixels));
            return new CodeRow(index, _decoder.PadCaption(caption), caption is not null, codes, KeptOf(prompt, options, own), own);
        }
        catch (ArgumentException exception)
        {
            throw new ArgumentException($"Prompt {index}: {exception.Message}", nameof(prompt), exception);
        }
    }

    private float[] Checked(IReadOnlyList<float> pixels)
    {
        var side = _decoder.PictureSize;
        if (pixels.Count != 3 * side * side)
        {
            throw new ArgumentException(
                $"The picture has {pixels.Count} values; expected {3 * side * side}, red, green and blue plane of {side} x {side} pixels.");
        }

        return pixels.Any(value => value is not (>= 0 and <= 1))
            ? throw new ArgumentException("The picture has values that are not from 0 to 1.") : [.. pixels];
    }

    /// <summary>Which codes of a prompt's picture are kept: none where there is no picture.</summary>
    private bool[] KeptOf(ImagePrompt prompt, ImageGenerationOptions options, ulong seed)
    {
        var (side, count) = (_decoder.CodesPerSide, _decoder.CodesPerSide * _decoder.CodesPerSide);
        if (prompt.Kept is { } kept)
        {
            if (prompt.Pixels is null)
                throw new ArgumentException($"{nameof(prompt.Kept)} says what is kept of a picture, but there is none.");
            return kept.Count == count ? [.. kept] : throw new ArgumentException(
                $"{nameof(prompt.Kept)} has {kept.Count} values; the picture has {side} x {side} codes.");
        }

        var result = new bool[count];
        if (prompt.Pixels is null)
            return result;
        if (options.RedrawnShare is { } share)
        {
            var order = new SplitMix64(SplitMix64.Mix(seed, PlaceStream)).Permutation(count);
            foreach (var place in order.Skip((int)Math.Round(share * count)))
                result[place] = true;
            return result;
        }

        Array.Fill(result, true, 0, (int)Math.Round(options.KeptRows * side) * side);
        return result;
    }
}
