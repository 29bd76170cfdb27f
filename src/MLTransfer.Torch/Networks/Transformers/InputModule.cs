using System.Numerics.Tensors;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers.Description;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>What comes before the first block: tables of tokens, positions and types.</summary>
internal sealed class InputModule
{
    private readonly Input _input;
    private readonly int _width;
    private readonly Linear? _projection;
    private readonly Embedding? _types;
    private readonly Embedding? _positions;
    private readonly Normalization? _norm;

    public InputModule(Input input, ModuleBuilder modules, int width)
    {
        (_input, _width) = (input, width);
        Tables = [.. input.Tables.Select(table => modules.Table(table, input.Rows, input.TableWidth, input.Deviation))];
        if (input.Projection is { } projection)
            _projection = modules.Linear(projection, input.TableWidth, width);
        if (input.Positions is LearnedPositions learned)
            _positions = modules.Table(learned.Table, learned.Rows, width, learned.Deviation);
        if (input.Types is { } types)
            _types = modules.Table(types.Table, types.Rows, width, types.Deviation);
        _norm = modules.Normalization(input.Norm, width);
    }

    /// <summary>A table for each stream of tokens.</summary>
    public IReadOnlyList<Embedding> Tables { get; }

    /// <summary>What vectors of a table are multiplied with by the table itself.</summary>
    public double TableScale => _input.HasScaledTable ? _input.Scale : 1;

    /// <summary>The learned positions, where there are any.</summary>
    public Embedding? Positions => _positions;

    /// <summary>[batch, length, width].</summary>
    /// <param name="input">What is read.</param>
    /// <param name="past">Positions before.</param>
    public Tensor Forward(ModelInput input, int past)
    {
        using var scope = NewDisposeScope();
        var hidden = input.InputEmbeddings?.alias() ?? Tokens(input.InputIds); // an alias: what is given stays the caller's
        if (_projection is not null)
            hidden = _projection.call(hidden);
        if (_input.Scale != 1)
            hidden = hidden * _input.Scale;
        if (_types is not null)
            hidden = hidden + (input.TokenTypeIds is null ? _types.Row(0) : _types.call(input.TokenTypeIds));
        if (_positions is not null)
            hidden = hidden + _positions.call(PositionRows(input, past));
        else if (_input.Positions is SinusoidalPositions sinusoidal)
            hidden = hidden + Sinusoids(sinusoidal.Order, Columns(input, past), hidden.dtype);
        return (_norm?.call(hidden) ?? hidden).MoveToOuterDisposeScope();
    }

    /// <summary>One new token of each row: [rows, width].</summary>
    public void Step(ModelInput input, Span<float> target, StepPass pass)
    {
        if (_projection is null)
        {
            ReadTokens(input.InputIds, target);
        }
        else
        {
            using var tokens = new RowBuffer(pass.Rows * _input.TableWidth);
            ReadTokens(input.InputIds, tokens.Span);
            _projection.Apply(tokens.Span, target, pass.Step);
        }

        if (_input.Scale != 1)
            TensorPrimitives.Multiply(target, (float)_input.Scale, target);
        if (_types is not null)
            _types.Add(input.TokenTypeIds is null ? new long[pass.Rows] : Ids(input.TokenTypeIds), target);
        if (_positions is not null)
        {
            var learned = (LearnedPositions)_input.Positions!;
            var rows = pass.Positions.ToArray();
            foreach (ref var row in rows.AsSpan())
                row += learned.Offset;
            _positions.Add(rows, target);
        }
        else if (_input.Positions is SinusoidalPositions sinusoidal)
        {
            using var scope = NewDisposeScope();
            var vectors = Sinusoids(sinusoidal.Order, tensor(pass.Positions.ToArray()), ScalarType.Float32).contiguous(); // [rows, width]
            TensorPrimitives.Add(target, NativeTensor.AsSpan<float>(vectors), target);
        }

        _norm?.Apply(target, target);
    }

    /// <summary>Positions counted by column: [batch or 1, length] int64.</summary>
    public static Tensor Columns(ModelInput input, int past) =>
        input.PositionIds ?? arange(past, past + input.InputIds.shape[^1], ScalarType.Int64, input.InputIds.device).unsqueeze(0);

    /// <summary>[batch, length] of one stream of tokens, [batch, streams, length] of several.</summary>
    private Tensor Tokens(Tensor ids)
    {
        if (Tables.Count == 1)
            return Tables[0].call(ids);
        var sum = Tables[0].call(ids.select(1, 0));
        for (var stream = 1; stream < Tables.Count; stream++)
            sum = sum + Tables[stream].call(ids.select(1, stream));
        return sum;
    }

    /// <summary>[rows, width of a table] of ids [rows, 1] or [rows, streams, 1].</summary>
    private void ReadTokens(Tensor ids, Span<float> target)
    {
        if (Tables.Count == 1)
        {
            Tables[0].Read(ids, target);
            return;
        }

        var values = Ids(ids); // [rows, streams]
        var rows = values.Length / Tables.Count;
        target.Clear();
        for (var stream = 0; stream < Tables.Count; stream++)
        {
            var own = new long[rows];
            for (var row = 0; row < rows; row++)
                own[row] = values[row * Tables.Count + stream];
            Tables[stream].Add(own, target);
        }
    }

    private static long[] Ids(Tensor ids)
    {
        using var values = ids.contiguous();
        return NativeTensor.AsSpan<long>(values).ToArray();
    }

    private Tensor PositionRows(ModelInput input, int past)
    {
        var learned = (LearnedPositions)_input.Positions!;
        var counted = input.PositionIds is not null ? null : learned.Counting switch
        {
            PositionCounting.Mask => input.AttentionMask,
            PositionCounting.Tokens when past == 0 && learned.PaddingId is { } padding => input.InputIds.ne(padding),
            _ => null,
        };
        if (counted is null)
        {
            var columns = Columns(input, past);
            return learned.Offset == 0 ? columns : columns + learned.Offset;
        }

        var mask = counted.to(ScalarType.Int64);
        var rows = mask.cumsum(1) * mask + (learned.Offset - 1);                         // padding: the row before the first position's
        return rows.narrow(1, rows.shape[1] - input.InputIds.shape[1], input.InputIds.shape[1]);
    }

    /// <summary>[batch or 1, length, width].</summary>
    private Tensor Sinusoids(SinusoidOrder order, Tensor positions, ScalarType type)
    {
        var half = _width / 2;
        var divisor = order == SinusoidOrder.CosinesThenSines ? half - 1 : half;
        var frequencies =
            tensor(Enumerable.Range(0, half).Select(i => (float)Math.Exp(-i * Math.Log(10000) / divisor)).ToArray(),
                device: positions.device);
        var angles = positions.to(ScalarType.Float32).unsqueeze(-1) * frequencies;       // [batch, length, width / 2]
        return (order == SinusoidOrder.CosinesThenSines
            ? cat([angles.cos(), angles.sin()], -1)
            : stack([angles.sin(), angles.cos()], -1).reshape([.. positions.shape, _width])).to(type);
    }
}
