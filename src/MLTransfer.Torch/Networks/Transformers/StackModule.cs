using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers.Description;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>Blocks with what comes before and behind them.</summary>
internal sealed class StackModule
{
    private readonly Stack _stack;
    private readonly BlockModule[] _blocks;
    private readonly Normalization? _final;
    private readonly DropoutSource _draws;
    private readonly int[] _windows; // 0 for none
    private readonly Rotary[] _rotations;
    private readonly Dictionary<string, RelativeBiasTable> _biases;

    /// <param name="stack">What it is.</param>
    /// <param name="modules">Makes the layers.</param>
    /// <param name="sourceWidth">The width of the encoder that is read, where one is.</param>
    public StackModule(Stack stack, ModuleBuilder modules, int? sourceWidth = null)
    {
        (_stack, _draws, Dropout) = (stack, modules.Draws, stack.Dropout);
        Input = new InputModule(stack.Input, modules, stack.Width);
        _blocks = [.. stack.Blocks.Select((block, layer) => new BlockModule(block, layer, modules, stack.Width, sourceWidth))];
        _final = modules.Normalization(stack.Final, stack.Width);
        _windows = [.. stack.Blocks.Select(block => block.Self.Window ?? 0).Distinct()];
        _rotations = [.. stack.Blocks.Select(block => block.Self.Rotary).OfType<Rotary>().Distinct()];
        SwitchLengths = [.. _rotations.Select(rotary => new RotaryTable(rotary).SwitchLength).OfType<int>().Where(s => s < stack.Context)];
        _biases = stack.Blocks.Zip(_blocks).Where(b => b.First.Self.Bias is not null)
            .DistinctBy(b => b.First.Self.Bias!.Table).ToDictionary(b => b.First.Self.Bias!.Table, b => b.Second.Self.Bias!);
        Heads = [.. stack.Heads.Select(head => new HeadModule(head, modules, stack.Width, stack.Input.TableWidth))];
    }

    public InputModule Input { get; }

    public IReadOnlyList<HeadModule> Heads { get; }

    /// <summary>Lengths of a text beyond which all its keys are turned otherwise.</summary>
    public IReadOnlyList<int> SwitchLengths { get; }

    /// <summary>Probabilities of training.</summary>
    public DropoutProbabilities Dropout { get; set; }

    /// <summary>The hidden states after the last norm: [batch, length, width].</summary>
    /// <param name="input">What is read.</param>
    /// <param name="training">Whether dropout is at work.</param>
    /// <exception cref="ArgumentException">There are more tokens than positions.</exception>
    public Tensor Forward(ModelInput input, bool training)
    {
        using var scope = NewDisposeScope();
        var length = (int)input.InputIds.shape[^1];
        var past = input.PastKeyValues?.Length ?? 0;
        CheckLength(input, past, length);
        var pass = CreatePass(input, past, length, training);
        var hidden = _draws.Apply(Input.Forward(input, past), Dropout.Embedding, training); // [B, T, C]
        foreach (var block in _blocks)
        {
            var next = input.Recomputation is { } recomputation
                ? recomputation.Forward(hidden, x => block.Forward(x, pass))
                : block.Forward(hidden, pass);
            hidden.Dispose(); // autograd keeps what it needs
            hidden = next;
        }

        hidden = input.Recomputation?.End(hidden) ?? hidden;
        input.PastKeyValues?.Advance(length);
        hidden = _final?.call(hidden) ?? hidden;
        return _draws.Apply(hidden, Dropout.Output, training).MoveToOuterDisposeScope();
    }

    /// <summary>The hidden states of one new position a row, by row kernels: [rows, 1, width] float32.</summary>
    /// <param name="input">What is read.</param>
    /// <param name="step">Rows, cache and threads.</param>
    /// <exception cref="ArgumentException">There are more tokens than positions.</exception>
    public Tensor Step(ModelInput input, DecodingStep step)
    {
        CheckLength(input, step.Cache.Length, 1);
        var pass = new StepPass(
            step, input, countsPadding: _stack.Input.Positions is not LearnedPositions { Counting: PositionCounting.Mask });
        var output = empty([step.Rows, 1, _stack.Width], ScalarType.Float32);
        using var hidden = new RowBuffer(step.Rows * _stack.Width);
        Input.Step(input, hidden.Span, pass);
        foreach (var block in _blocks)
            block.Step(hidden.Span, pass);

        step.Cache.Advance(1);
        if (_final is null)
            hidden.Span.CopyTo(NativeTensor.AsSpan<float>(output));
        else
            _final.Apply(hidden.Span, NativeTensor.AsSpan<float>(output));
        return output;
    }

    /// <exception cref="ArgumentException">There are more tokens than positions.</exception>
    private void CheckLength(ModelInput input, int past, int length)
    {
        if (input.Encoded is null && _stack.Blocks.Any(block => block.Cross is not null))
            throw new ArgumentException(
                $"This network looks at what an encoder gave: set {nameof(ModelInput)}.{nameof(ModelInput.Encoded)}.", nameof(input));
        if (input.RowLengths is null && SwitchLengths.FirstOrDefault(s => past > 0 && past <= s && past + length > s) is > 0 and var end)
        {
            throw new NotSupportedException(
                $"A text that grows over original_max_position_embeddings, {end} tokens, has to be read anew: all its keys turn "
                + "otherwise from there on. Clear the key-value cache and pass all of its tokens, as TokenGenerator does.");
        }

        if (_stack.Input.Positions is LearnedPositions && input.PositionIds is null && past + length > _stack.Context)
        {
            throw new ArgumentException(
                $"{past} past and {length} new tokens do not fit into the model's context of {_stack.Context}. Shorten the text.",
                    nameof(input));
        }
    }

    private Pass CreatePass(ModelInput input, int past, int length, bool training)
    {
        var device = input.InputIds.device;
        return new Pass
        {
            Training = training,
            Dropout = Dropout,
            Draws = _draws,
            Cache = input.Recomputation is null ? input.PastKeyValues : null,
            Encoded = input.Encoded,
            Past = past,
            Masks = _windows.ToDictionary(window => window, window =>
            {
                var mask = _stack.Causal
                    ? AttentionMask.Create(length, past, input.AttentionMask, input.SequenceIds, device, window == 0 ? null : window)
                    : AttentionMask.BothWays(input.AttentionMask, input.SequenceIds);
                input.Recomputation?.Keep(mask.Allowed);
                return mask;
            }),
            Rotations = _rotations.ToDictionary(rotary => rotary, rotary =>
            {
                var turns = new RotaryTable(rotary).At(InputModule.Columns(input, past), input.RowLengths ?? [past + length]);
                input.Recomputation?.Keep(turns.Cosines);
                input.Recomputation?.Keep(turns.Sines);
                return turns;
            }),
            Biases = input.Recomputation is not null ? null : _biases.ToDictionary(b => b.Key, b => b.Value.Between(past, length)),
        };
    }
}
