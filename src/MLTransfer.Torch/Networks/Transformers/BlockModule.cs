using System.Numerics.Tensors;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers.Description;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>Attention to the text, perhaps attention to what an encoder read, and feed-forward, each added to the residual
/// stream.</summary>
internal sealed class BlockModule
{
    private readonly Block _block;
    private readonly AttentionModule _self;
    private readonly AttentionModule? _cross;
    private readonly FeedForwardModule _feed;
    private readonly Norms _selfNorms;
    private readonly Norms _crossNorms;
    private readonly Norms _feedNorms;

    /// <param name="block">What it is.</param>
    /// <param name="layer">Its number.</param>
    /// <param name="modules">Makes the layers.</param>
    /// <param name="width">The width of the residual stream.</param>
    /// <param name="sourceWidth">The encoder's width, where there is cross-attention.</param>
    public BlockModule(Block block, int layer, ModuleBuilder modules, int width, int? sourceWidth)
    {
        _block = block;
        (_self, _selfNorms) = Make(block.Self, () => new AttentionModule(block.Self, layer, modules, width));
        if (block.Cross is { } cross)
            (_cross, _crossNorms) = Make(cross, () => new AttentionModule(cross, layer, modules, width, sourceWidth ?? width));
        (_feed, _feedNorms) = Make(block.Feed, () => new FeedForwardModule(block.Feed, modules, width));

        (T Part, Norms Norms) Make<T>(Sublayer sublayer, Func<T> create)
        {
            var before = modules.Normalization(sublayer.Before, width);
            var part = create();
            return (part,
                new Norms(before, modules.Normalization(sublayer.OnOutput, width), modules.Normalization(sublayer.AfterSum, width)));
        }
    }

    public AttentionModule Self => _self;

    /// <summary>[B, T, width] to the same shape.</summary>
    public Tensor Forward(Tensor x, Pass pass)
    {
        using var scope = NewDisposeScope();
        if (_block.Parallel)
        {
            var normalized = _selfNorms.Read(x);
            var fed = ReferenceEquals(_selfNorms.Before, _feedNorms.Before) ? normalized : _feedNorms.Read(x);
            var (attention, feed) = (Given(_selfNorms, _self.Forward(normalized, pass)), Given(_feedNorms, _feed.Forward(fed, pass)));
            return (x + attention + feed).MoveToOuterDisposeScope();
        }

        x = _selfNorms.Sum(x, Given(_selfNorms, _self.Forward(_selfNorms.Read(x), pass)));
        if (_cross is not null)
            x = _crossNorms.Sum(x, Given(_crossNorms, _cross.Forward(_crossNorms.Read(x), pass)));
        x = _feedNorms.Sum(x, Given(_feedNorms, _feed.Forward(_feedNorms.Read(x), pass)));
        return x.MoveToOuterDisposeScope();

        Tensor Given(Norms norms, Tensor output) =>
            pass.Draws.Apply(norms.OnOutput?.call(output) ?? output, pass.Dropout.Residual, pass.Training);
    }

    /// <summary>Adds what the parts give to [rows, width], one new position a row.</summary>
    public void Step(Span<float> x, StepPass pass)
    {
        using var buffer = new RowBuffer(x.Length);
        if (_block.Parallel)
        {
            using var second = new RowBuffer(x.Length);
            _selfNorms.Read(x, buffer.Span);
            _feedNorms.Read(x, second.Span); // before attention changes x
            Add(_self, _selfNorms, buffer.Span, x, pass);
            Add(_feed, _feedNorms, second.Span, x, pass);
            return;
        }

        _selfNorms.Read(x, buffer.Span);
        Add(_self, _selfNorms, buffer.Span, x, pass);
        if (_cross is not null)
        {
            _crossNorms.Read(x, buffer.Span);
            Add(_cross, _crossNorms, buffer.Span, x, pass);
        }

        _feedNorms.Read(x, buffer.Span);
        Add(_feed, _feedNorms, buffer.Span, x, pass);
    }

    private static void Add(ISublayerModule part, Norms norms, ReadOnlySpan<float> input, Span<float> x, StepPass pass)
    {
        if (norms.OnOutput is null)
        {
            part.Step(input, x, pass, accumulate: true);
        }
        else
        {
            using var output = new RowBuffer(x.Length);
            part.Step(input, output.Span, pass, accumulate: false);
            norms.OnOutput.Apply(output.Span, output.Span);
            TensorPrimitives.Add(x, output.Span, x);
        }

        norms.AfterSum?.Apply(x, x);
    }

    /// <summary>The norms of a sublayer.</summary>
    private readonly record struct Norms(Normalization? Before, Normalization? OnOutput, Normalization? AfterSum)
    {
        public Tensor Read(Tensor x) => Before?.call(x) ?? x;

        public void Read(ReadOnlySpan<float> x, Span<float> target)
        {
            if (Before is null)
                x.CopyTo(target);
            else
                Before.Apply(x, target);
        }

        public Tensor Sum(Tensor x, Tensor added)
        {
            var sum = x + added;
            return AfterSum?.call(sum) ?? sum;
        }
    }
}
