using System.Text.Json.Nodes;
using MLTransfer.Torch.Generation.Processors;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;

namespace MLTransfer.Torch.Generation;

/// <summary>
/// Continues sequences of token ids: greedy search, sampling and beam search with the numbers of Hugging Face's <c>generate</c>.
/// </summary>
/// <remarks>
/// Several threads may generate with one model at once, also through one generator. Results do not depend on which prompts are read
/// together, but for the rounding of floating-point sums, which can decide between two tokens of almost equal probability.
/// </remarks>
public sealed class TokenGenerator
{
    private readonly ICausalDecoder _decoder;
    private readonly int? _startId;
    private readonly int[] _endOfSequenceIds;

    /// <summary>Puts a model into evaluation mode and generates with it.</summary>
    /// <param name="model">The model; it stays the caller's.</param>
    public TokenGenerator(CausalLanguageModel model)
        : this(new TorchDecoder(model), null, null)
    {
    }

    /// <param name="decoder">The network; it stays the caller's.</param>
    /// <param name="beginningOfSequenceId">What an empty prompt starts with, where <c>config.json</c> names neither a beginning nor an
    /// end.</param>
    /// <param name="endOfSequenceId">What ends a sequence, where <c>config.json</c> does not say.</param>
    internal TokenGenerator(ICausalDecoder decoder, int? beginningOfSequenceId, int? endOfSequenceId)
    {
        _decoder = decoder;
        _endOfSequenceIds = ConfiguredIds("eos_token_id");
        if (_endOfSequenceIds.Length == 0)
            _endOfSequenceIds = InVocabulary([endOfSequenceId]);
        int[] starts = [.. ConfiguredIds("bos_token_id"), .. InVocabulary([beginningOfSequenceId]), .. _endOfSequenceIds];
        _startId = starts.Length > 0 ? starts[0] : null;
    }

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
        var starts = new IReadOnlyList<int>[prompts.Count];
        for (var i = 0; i < starts.Length; i++)
            starts[i] = CheckPrompt(prompts[i], i);

        var processors = LogitsPipeline.Create(options, _decoder.VocabularySize, endOfSequenceIds);
        var task = new GenerationTask(_decoder, options, endOfSequenceIds, processors, monitor, cancellationToken);
        var seed = (ulong)(options.Seed ?? Random.Shared.NextInt64());

        // Prompts of similar length go together: little padding.
        int[] order = [.. Enumerable.Range(0, starts.Length).OrderByDescending(i => starts[i].Count)];
        var results = new IReadOnlyList<GeneratedTokens>[starts.Length];
        foreach (var chunk in order.Chunk(options.BatchSize))
        {
            IReadOnlyList<int>[] together = [.. chunk.Select(i => starts[i])];
            var generated = options.BeamCount > 1 ? BeamSearch.Run(task, together) : SequentialSearch.Run(task, together, seed);
            for (var i = 0; i < chunk.Length; i++)
                results[chunk[i]] = generated[i];
        }

        return results;
    }

    /// <inheritdoc cref="ICausalDecoder.Hold"/>
    internal UseCount.Hold Hold() => _decoder.Hold();

    private IReadOnlyList<int> CheckPrompt(IReadOnlyList<int> prompt, int index)
    {
        if (prompt is null)
            throw new ArgumentException($"Prompt {index} is null.", nameof(prompt));
        for (var position = 0; position < prompt.Count; position++)
        {
            if ((uint)prompt[position] >= (uint)_decoder.VocabularySize)
            {
                throw new ArgumentException(
                    $"Prompt {index} has token id {prompt[position]} at position {position}; the model's vocabulary has ids "
                    + $"0 to {_decoder.VocabularySize - 1}. Do tokenizer and model belong together?",
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

    /// <summary>One id or several of <c>config.json</c>.</summary>
    private int[] ConfiguredIds(string name)
    {
        var entry = _decoder.Configuration[name];
        if (entry is null)
            return [];
        return InVocabulary(
            (entry as IEnumerable<JsonNode?> ?? [entry]).Select(node => node is JsonValue value && value.TryGetValue(out int id)
            ? (int?)id
            : throw new InvalidDataException($"config.json: {name} is {entry.ToJsonString()}; expected a token id or a list of them.")));
    }

    /// <summary>Leaves out ids that the model can never give.</summary>
    private int[] InVocabulary(IEnumerable<int?> ids) =>
        [.. ids.OfType<int>().Where(id => (uint)id < (uint)_decoder.VocabularySize).Distinct()];
}
