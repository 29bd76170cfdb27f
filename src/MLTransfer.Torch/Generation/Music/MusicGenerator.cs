using System.Diagnostics;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Generation.Music;

/// <summary>Makes music from captions, from sounds that it goes on from, or from nothing (MusicGen, arXiv 2306.05284).</summary>
/// <remarks>Several threads may use a generator, and several generators a model, at once.</remarks>
public sealed class MusicGenerator
{
    private readonly IMusicDecoder _decoder;
    private readonly TextTokenizer? _tokenizer;

    /// <summary>Puts a model into evaluation mode and generates with it.</summary>
    /// <param name="model">It stays the caller's.</param>
    /// <param name="tokenizer">The tokenizer of the model's text encoder; null where no captions are given.</param>
    public MusicGenerator(MusicGenModel model, TextTokenizer? tokenizer)
        : this(new TorchMusicDecoder(model), tokenizer)
    {
    }

    /// <param name="decoder">The network; it stays the caller's.</param>
    /// <param name="tokenizer">The tokenizer of the network's text encoder; null where no captions are given.</param>
    internal MusicGenerator(IMusicDecoder decoder, TextTokenizer? tokenizer) => (_decoder, _tokenizer) = (decoder, tokenizer);

    /// <summary>Generates music.</summary>
    /// <param name="prompts">What is asked for.</param>
    /// <param name="options">How to generate; null for the defaults.</param>
    /// <param name="progress">Told after every column of codes, on this thread.</param>
    /// <param name="cancellationToken">Ends the work between two columns.</param>
    /// <returns>The music of each prompt.</returns>
    /// <exception cref="ArgumentException">An option or a prompt is not valid; the message has the prompt's number, counted from
    /// 0.</exception>
    /// <exception cref="InvalidOperationException">The model is in training mode again, or its logits are not numbers.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed. Where that happens later, the call goes on.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public IReadOnlyList<GeneratedMusic> Generate(
        IReadOnlyList<MusicPrompt> prompts, MusicGenerationOptions? options = null, IProgress<MusicGenerationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        options ??= new MusicGenerationOptions();
        options.Check();
        using var hold = _decoder.Hold();
        var seed = options.Seed ?? Random.Shared.NextInt64();
        var rows = prompts.Select((prompt, index) => ToRow(prompt, index, seed)).ToList();
        var clock = Stopwatch.StartNew();
        long done = 0, total = 0, together = 0;
        var search = new MusicSearch(_decoder, options, Advance, cancellationToken);
        total = rows.Sum(row => search.Columns(row.PromptFrames));
        var results = new GeneratedMusic[rows.Count];
        foreach (var batch in rows.GroupBy(row => row.PromptFrames).SelectMany(group => group.Chunk(Together(options))))
        {
            together = batch.Length;
            search.Run(batch);
            foreach (var row in batch)
            {
                cancellationToken.ThrowIfCancellationRequested();
                results[row.Index] = new GeneratedMusic(_decoder.DecodeSound(row.Codes), row.Codes, row.PromptFrames);
            }
        }

        return results;

        void Advance()
        {
            done += together;
            progress?.Report(new MusicGenerationProgress(done, total, clock.Elapsed));
        }
    }

    private int Together(MusicGenerationOptions options) =>
        Math.Min(options.BatchSize, _decoder.MostRows / (options.GuidanceScale == 1 ? 1 : 2));

    private MusicRow ToRow(MusicPrompt prompt, int index, long seed)
    {
        if (prompt is null)
            throw new ArgumentException($"Prompt {index} is null.", nameof(prompt));
        try
        {
            var codes = prompt.Sound is null ? [.. Enumerable.Range(0, _decoder.Codebooks).Select(_ => Array.Empty<int>())]
                : _decoder.EncodeSound(prompt.Sound);
            var caption = CaptionTokens.Read(_decoder.CaptionVocabulary, _decoder.CaptionLength, _tokenizer, prompt.Text);
            return new MusicRow(index, caption, codes, (ulong)(prompt.Seed ?? seed));
        }
        catch (ArgumentException exception)
        {
            throw new ArgumentException($"Prompt {index}: {exception.Message}", nameof(prompt), exception);
        }
    }
}
