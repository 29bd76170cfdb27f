using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Generation;

/// <summary>Continues texts with a language model, or answers them with one that has an encoder (see
/// <see cref="TokenGenerator"/>).</summary>
/// <remarks>Several threads may use a generator, and several generators a model, at once.</remarks>
public sealed class TextGenerator
{
    private const int StreamCapacity = 64;

    private readonly TokenGenerator _generator;
    private readonly TextTokenizer _tokenizer;

    /// <summary>Puts a model into evaluation mode and generates with it.</summary>
    /// <param name="model">A decoder, or an encoder with a decoder; it stays the caller's.</param>
    /// <param name="tokenizer">The tokenizer that the model was trained with.</param>
    /// <exception cref="ArgumentException">The model has no decoder.</exception>
    public TextGenerator(TransformerNetwork model, TextTokenizer tokenizer)
        : this(new TorchDecoder(model), tokenizer)
    {
    }

    /// <param name="decoder">The network; it stays the caller's.</param>
    /// <param name="tokenizer">The tokenizer that the network was trained with.</param>
    internal TextGenerator(ICausalDecoder decoder, TextTokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        _tokenizer = tokenizer;
        _generator = new TokenGenerator(decoder, tokenizer.BeginningOfSequenceId, tokenizer.TextEndId);
    }

    /// <summary>The tokens that end a text where options name none.</summary>
    internal IReadOnlyList<int> EndOfSequenceIds => _generator.EndOfSequenceIds;

    /// <summary>The number of token ids that the network knows.</summary>
    internal int VocabularySize => _generator.VocabularySize;

    /// <summary>Continues prompts.</summary>
    /// <param name="prompts">
    /// Texts. An empty one starts from the model's beginning-of-sequence token, or its end-of-sequence token if there is none.
    /// </param>
    /// <param name="options">How to generate; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the work between two tokens.</param>
    /// <returns>
    /// For each prompt <see cref="GenerationOptions.SequencesPerPrompt"/> continuations; those of beam search are sorted, best first.
    /// </returns>
    /// <exception cref="ArgumentException">An option or a prompt is not valid.</exception>
    /// <exception cref="InvalidOperationException">
    /// The model is in training mode again, its logits are not numbers, or the options forbid every token.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The model is disposed. Where that happens later, the call goes on.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public IReadOnlyList<IReadOnlyList<GeneratedText>> Generate(
        IReadOnlyList<string> prompts, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        options ??= new GenerationOptions();
        options.Check();
        var ids = new int[prompts.Count][];
        for (var i = 0; i < ids.Length; i++)
            ids[i] = Encode(prompts[i] ?? throw new ArgumentException($"Prompt {i} is null.", nameof(prompts)));
        return GenerateFrom(ids, options, cancellationToken);
    }

    /// <summary>Continues prompts that are token ids already.</summary>
    /// <inheritdoc cref="Generate"/>
    internal IReadOnlyList<IReadOnlyList<GeneratedText>> GenerateFrom(
        IReadOnlyList<int[]> ids, GenerationOptions options, CancellationToken cancellationToken)
    {
        options.Check();
        Func<ITokenMonitor>? monitor = options.StopStrings.Count == 0
            ? null
            : () => new ContinuationText(_tokenizer, [], options.StopStrings, static _ => { });
        var generated = _generator.Generate(ids, options, monitor, cancellationToken);
        return
        [
            .. generated.Select((sequences, i) =>
                (IReadOnlyList<GeneratedText>)[.. sequences.Select(tokens => ToText(ids[i], tokens, options))]),
        ];
    }

    /// <summary>
    /// Continues a prompt and gives the text piece by piece; joined, the pieces are the text that <see cref="Generate"/> gives.
    /// </summary>
    /// <remarks>
    /// The model runs on a thread of its own, some pieces ahead at most. Ending the enumeration early ends it and frees its memory; where
    /// the enumerator is neither read to the end nor disposed, that happens when the garbage collector finds it.
    /// </remarks>
    /// <param name="prompt">A text, as in <see cref="Generate"/>.</param>
    /// <param name="options">How to generate; null for the defaults. One sequence, without beam search.</param>
    /// <param name="cancellationToken">Ends the work between two tokens.</param>
    /// <returns>Pieces of text, none empty: never half a character, and nothing of a stop string.</returns>
    /// <exception cref="ArgumentException">An option or the prompt is not valid.</exception>
    /// <exception cref="InvalidOperationException">As in <see cref="Generate"/>; from the enumeration where logits are the
    /// reason.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed, here or before the enumeration begins. Where that happens later,
    /// the enumeration goes on.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled; from the enumeration.</exception>
    public IAsyncEnumerable<string> StreamAsync(
        string prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return StreamFrom(Encode(prompt), options ?? new GenerationOptions(), cancellationToken);
    }

    /// <summary>Continues a prompt of token ids piece by piece.</summary>
    /// <param name="prompt">Token ids.</param>
    /// <param name="options">How to generate; one sequence, without beam search.</param>
    /// <param name="cancellationToken">Ends the work between two tokens.</param>
    /// <param name="ended">Told what was generated, before the enumeration ends; null for nobody.</param>
    /// <inheritdoc cref="StreamAsync"/>
    internal IAsyncEnumerable<string> StreamFrom(
        int[] prompt, GenerationOptions options, CancellationToken cancellationToken, Action<GeneratedTokens>? ended = null)
    {
        options.Check();
        if (options.BeamCount > 1 || options.SequencesPerPrompt > 1)
        {
            throw new ArgumentException(
                $"A stream is one sequence that only grows: {nameof(options.BeamCount)} is {options.BeamCount} and "
                + $"{nameof(options.SequencesPerPrompt)} is {options.SequencesPerPrompt}, where both must be 1. Use {nameof(Generate)}.",
                nameof(options));
        }

        using var hold = _generator.Hold(); // refuses now what the enumeration would refuse
        return Enumerate(prompt, options, ended, cancellationToken);
    }

    /// <summary>What the network reads of a prompt: all of it and the special tokens around it where an encoder does, without what ends a
    /// text where it is continued.</summary>
    internal int[] Encode(string prompt)
    {
        var ids = _tokenizer.Encode(prompt);
        return _generator.HasEncoder ? ids : ids[..^_tokenizer.TrailingIds.Length];
    }

    /// <summary>What the generated text goes on from: nothing where an encoder has read the prompt.</summary>
    private int[] Continued(int[] prompt) => _generator.HasEncoder ? [] : prompt;

    private async IAsyncEnumerable<string> Enumerate(
        int[] prompt, GenerationOptions options, Action<GeneratedTokens>? ended, CancellationToken outer,
        [EnumeratorCancellation] CancellationToken inner = default)
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(outer, inner);
        var channel = Channel.CreateBounded<string>(new BoundedChannelOptions(StreamCapacity) { SingleReader = true, SingleWriter = true });
        var work = Task.Factory.StartNew(
            () => Write(prompt, options, channel.Writer, ended, cancellation.Token),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        using var abandonment = new Abandonment(cancellation);
        try
        {
            await foreach (var piece in channel.Reader.ReadAllAsync(cancellation.Token).ConfigureAwait(false))
                yield return piece;
        }
        finally
        {
            await cancellation.CancelAsync().ConfigureAwait(false);
            await work.ConfigureAwait(false);
        }
    }

    private void Write(
        int[] prompt, GenerationOptions options, ChannelWriter<string> pieces, Action<GeneratedTokens>? ended,
        CancellationToken cancellationToken)
    {
        try
        {
            var text = new ContinuationText(_tokenizer, Continued(prompt), options.StopStrings, piece =>
            {
                if (!pieces.TryWrite(piece))
                    pieces.WriteAsync(piece, cancellationToken).AsTask().GetAwaiter().GetResult();
            });
            var generated = _generator.Generate([prompt], options, () => text, cancellationToken);
            text.Complete();
            ended?.Invoke(generated[0][0]);
            pieces.Complete();
        }
#pragma warning disable CA1031 // The reader throws it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            pieces.Complete(exception);
        }
    }

    /// <summary>
    /// Ends the work of a stream that nobody can read any more: only the enumerator refers to this object, the work does not.
    /// </summary>
    private sealed class Abandonment(CancellationTokenSource cancellation) : IDisposable
    {
        ~Abandonment() => _ = cancellation.CancelAsync(); // not on this thread: what is told of it may throw

        public void Dispose() => GC.SuppressFinalize(this);
    }

    private GeneratedText ToText(int[] prompt, GeneratedTokens tokens, GenerationOptions options)
    {
        var builder = new StringBuilder();
        var text = new ContinuationText(_tokenizer, Continued(prompt), options.StopStrings, piece => builder.Append(piece));
        var count = tokens.TokenIds.Count - (tokens.FinishReason == FinishReason.EndOfSequence ? 1 : 0);
        for (var i = 0; i < count; i++)
            text.Append(tokens.TokenIds[i]);
        text.Complete();
        return new GeneratedText(builder.ToString(), tokens.TokenIds, tokens.LogProbabilities, tokens.FinishReason, tokens.SequenceScore);
    }
}
