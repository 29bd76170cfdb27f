using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation.Processors;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;

namespace MLTransfer.Torch.Generation;

/// <summary>
/// Continues sequences of token ids, or answers them with a network that has an encoder: greedy search, sampling and beam search with the
/// numbers of Hugging Face's <c>generate</c>.
/// </summary>
/// <remarks>
/// <para>
/// An encoder reads the prompts of a batch once, whatever is done with them afterwards. The decoder begins with the token that
/// <c>config.json</c> names (<c>decoder_start_token_id</c>), and penalties, n-grams and lengths count its tokens alone. What the
/// checkpoint's files say of single tokens holds for every network: <c>forced_bos_token_id</c>, <c>forced_eos_token_id</c>,
/// <c>suppress_tokens</c>, <c>begin_suppress_tokens</c> and <c>bad_words_ids</c>.
/// </para>
/// <para>
/// Several threads may generate with one model at once, also through one generator. Results do not depend on which prompts are read
/// together, but for the rounding of floating-point sums, which can decide between two tokens of almost equal probability.
/// </para>
/// </remarks>
public sealed class TokenGenerator
{
    private readonly ICausalDecoder _decoder;
    private readonly PromptEncoder? _encoder;
    private readonly TokenRules _rules;
    private readonly int? _startId;
    private readonly int[] _endOfSequenceIds;

    /// <summary>Puts a model into evaluation mode and generates with it.</summary>
    /// <param name="model">A decoder, or an encoder with a decoder; it stays the caller's.</param>
    /// <exception cref="ArgumentException">The model has no decoder.</exception>
    public TokenGenerator(TransformerNetwork model)
        : this(new TorchDecoder(model), null, null)
    {
    }

    /// <param name="decoder">The network; it stays the caller's.</param>
    /// <param name="beginningOfSequenceId">What an empty prompt starts with, where <c>config.json</c> names neither a beginning nor an
    /// end.</param>
    /// <param name="endOfSequenceId">What ends a sequence, where <c>config.json</c> does not say.</param>
    internal TokenGenerator(ICausalDecoder decoder, int? beginningOfSequenceId, int? endOfSequenceId)
    {
        (_decoder, _encoder) = (decoder, decoder.Encoder);
        _rules = TokenRules.Read(decoder.Configuration, decoder.VocabularySize);
        var tokens = new ConfiguredTokens(decoder.Configuration, decoder.VocabularySize);
        _endOfSequenceIds = tokens.Ids("eos_token_id");
        if (_endOfSequenceIds.Length == 0 && endOfSequenceId is { } end)
            _endOfSequenceIds = tokens.InVocabulary([end]);
        var beginnings = tokens.InVocabulary(beginningOfSequenceId is { } beginning ? [beginning] : []);
        int[] starts = [.. tokens.Ids("bos_token_id"), .. beginnings, .. _endOfSequenceIds];
        _startId = starts.Length > 0 ? starts[0] : null;
    }

    /// <summary>Whether an encoder reads the prompts, so that what is generated is a text of its own.</summary>
    internal bool HasEncoder => _encoder is not null;

    /// <summary>The tokens that end a sequence where options name none.</summary>
    internal IReadOnlyList<int> EndOfSequenceIds => _endOfSequenceIds;

    /// <summary>The number of token ids that the network knows.</summary>
    internal int VocabularySize => _decoder.VocabularySize;

    /// <summary>Continues prompts.</summary>
    /// <param name="prompts">
    /// Token ids, each within the model's vocabulary. An empty prompt starts from the model's beginning-of-sequence token, or its
    /// end-of-sequence token if there is none.
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
    public IReadOnlyList<IReadOnlyList<GeneratedTokens>> Generate(
        IReadOnlyList<IReadOnlyList<int>> prompts, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        if (options?.StopStrings is { Count: > 0 })
            throw new ArgumentException(
                $"{nameof(GenerationOptions.StopStrings)} are text, which token ids do not have here. Use {nameof(TextGenerator)}.",
                nameof(options));
        return Generate(prompts, options ?? new GenerationOptions(), null, cancellationToken);
    }

    internal IReadOnlyList<IReadOnlyList<GeneratedTokens>> Generate(
        IReadOnlyList<IReadOnlyList<int>> prompts, GenerationOptions options, Func<ITokenMonitor>? monitor,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        options.Check();
        using var hold = Hold();
        var endOfSequenceIds = EndsOf(options);
        var starts = new GenerationPrompt[prompts.Count];
        for (var i = 0; i < starts.Length; i++)
            starts[i] = ToPrompt(CheckPrompt(prompts[i], i));
        if (_encoder is not null && options.MaximumNewTokens > _decoder.ContextLength)
            options = options with { MaximumNewTokens = _decoder.ContextLength }; // the last one is not read

        var processors = LogitsPipeline.Create(options, _decoder.VocabularySize, endOfSequenceIds, _rules);
        var task = new GenerationTask(_decoder, options, endOfSequenceIds, processors, monitor, cancellationToken);
        var seed = (ulong)(options.Seed ?? Random.Shared.NextInt64());

        // Prompts of similar length go together: little padding.
        int[] order = [.. Enumerable.Range(0, starts.Length).OrderByDescending(i => starts[i].Tokens.Count)];
        var results = new IReadOnlyList<GeneratedTokens>[starts.Length];
        foreach (var chunk in order.Chunk(options.BatchSize))
        {
            GenerationPrompt[] together = [.. chunk.Select(i => starts[i])];
            var generated = options.BeamCount > 1 ? BeamSearch.Run(task, together) : SequentialSearch.Run(task, together, seed);
            for (var i = 0; i < chunk.Length; i++)
                results[chunk[i]] = generated[i];
        }

        return results;
    }

    /// <inheritdoc cref="ICausalDecoder.Hold"/>
    internal UseCount.Hold Hold() => _decoder.Hold();

    private GenerationPrompt ToPrompt(IReadOnlyList<int> prompt)
    {
        if (_encoder is not { } encoder)
            return new GenerationPrompt(prompt);
        return new GenerationPrompt([encoder.DecoderStartId], PromptEncoder.Cut([.. prompt], encoder.ContextLength, _endOfSequenceIds));
    }

    private IReadOnlyList<int> CheckPrompt(IReadOnlyList<int> prompt, int index)
    {
        if (prompt is null)
            throw new ArgumentException($"Prompt {index} is null.", nameof(prompt));
        var vocabulary = _encoder?.VocabularySize ?? _decoder.VocabularySize;
        for (var position = 0; position < prompt.Count; position++)
        {
            if ((uint)prompt[position] >= (uint)vocabulary)
            {
                throw new ArgumentException(
                    $"Prompt {index} has token id {prompt[position]} at position {position}; the model's vocabulary has ids "
                    + $"0 to {vocabulary - 1}. Do tokenizer and model belong together?",
                    nameof(prompt));
            }
        }

        if (prompt.Count > 0)
            return prompt;
        return [_startId ?? throw new ArgumentException(
            $"Prompt {index} is empty, and the model names no token to begin with (bos_token_id or eos_token_id of config.json). "
            + "Give at least one token.", nameof(prompt))];
    }

    private int[] EndsOf(GenerationOptions options)
    {
        if (options.EndOfSequenceIds is not { } ids)
            return _endOfSequenceIds;
        foreach (var id in ids)
        {
            if ((uint)id >= (uint)_decoder.VocabularySize)
            {
                throw new ArgumentException(
                    $"{nameof(GenerationOptions)}: {nameof(options.EndOfSequenceIds)} has {id}; the model's vocabulary "
                    + $"has ids 0 to {_decoder.VocabularySize - 1}.");
            }
        }

        return [.. ids.Distinct()];
    }
}
