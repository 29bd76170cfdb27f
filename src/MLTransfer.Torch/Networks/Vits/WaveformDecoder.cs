using MLTransfer.Torch.Layers;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>The generator of HiFi-GAN (arXiv 2010.05646): latent variables to samples.</summary>
internal sealed class WaveformDecoder : NamedModule
{
    /// <summary>The kernel of the first and the last convolution.</summary>
    private const int OuterKernel = 7;

    /// <summary>The slope of the last rectifier, whatever the configuration says for the others.</summary>
    public const double LastSlope = 0.01;

    private readonly List<UpsamplingStage> _stages = [];

    /// <param name="weights">Has them.</param>
    /// <param name="c">The sizes.</param>
    /// <param name="isNormalized">Whether the weights of upsamplings and residual blocks are normalized, as they are while they are
    /// trained.</param>
    public WaveformDecoder(WeightScope weights, VitsConfiguration c, bool isNormalized)
        : base(nameof(WaveformDecoder))
    {
        LeakySlope = c.LeakySlope;
        Input = new TimeConvolution(weights.Scope("conv_pre"), c.LatentWidth, c.DecoderWidth, OuterKernel);
        register_module("conv_pre", Input);
        if (c.SpeakerWidth > 0)
        {
            Condition = new TimeConvolution(weights.Scope("cond"), c.SpeakerWidth, c.DecoderWidth, kernel: 1);
            register_module("cond", Condition);
        }

        for (var i = 0; i < c.Upsampling.Length; i++)
        {
            var (rate, kernel) = c.Upsampling[i];
            var width = c.StageWidth(i);
            var upsampling = new TransposedConvolution(
                weights.Scope($"upsampler.{i}"), i == 0 ? c.DecoderWidth : c.StageWidth(i - 1), width, kernel, rate, isNormalized);
            ModuleNode.Add(this, $"upsampler.{i}", upsampling);
            var blocks = new List<ResidualBlock>();
            foreach (var (size, dilations) in c.ResidualBlocks)
            {
                var name = $"resblocks.{i * c.ResidualBlocks.Length + blocks.Count}";
                var block = new ResidualBlock(weights.Scope(name), width, size, dilations, c.LeakySlope, isNormalized);
                ModuleNode.Add(this, name, block);
                blocks.Add(block);
            }

            _stages.Add(new UpsamplingStage(upsampling, blocks));
        }

        Output = new TimeConvolution(
            weights.Scope("conv_post"), c.StageWidth(c.Upsampling.Length - 1), 1, OuterKernel, hasBias: false);
        register_module("conv_post", Output);
    }

    public double LeakySlope { get; }

    public TimeConvolution Input { get; }

    public TimeConvolution? Condition { get; }

    public IReadOnlyList<UpsamplingStage> Stages => _stages;

    public TimeConvolution Output { get; }

    /// <summary>[N, latent width, T] to [N, 1, samples].</summary>
    /// <param name="latents">The latent variables.</param>
    /// <param name="speaker">[N, speaker width, 1]; null for none.</param>
    public Tensor Forward(Tensor latents, Tensor? speaker)
    {
        using var scope = NewDisposeScope();
        if (RowDecoder.Computes(this, latents))
            return OnRows(latents, speaker).MoveToOuterDisposeScope();
        var hidden = Input.Forward(latents);
        if (speaker is not null && Condition is not null)
            hidden += Condition.Forward(speaker);
        foreach (var (upsampling, blocks) in _stages)
        {
            using var stage = NewDisposeScope();
            hidden = upsampling.Forward(F.leaky_relu(hidden, LeakySlope));
            var sum = blocks[0].Forward(hidden);
            foreach (var block in blocks.Skip(1))
                sum = sum + block.Forward(hidden);
            hidden = (sum / blocks.Count).MoveToOuterDisposeScope();
        }

        return Output.Forward(F.leaky_relu(hidden, LastSlope)).tanh().MoveToOuterDisposeScope();
    }

    private Tensor OnRows(Tensor latents, Tensor? speaker)
    {
        var conditions = speaker is null ? null : Condition?.Forward(speaker).squeeze(-1); // [N or 1, width]
        return stack(
        [
            .. Enumerable.Range(0, (int)latents.shape[0]).Select(row => RowDecoder.Run(
                this, latents[row], conditions?[conditions.shape[0] == 1 ? 0 : row])),
        ]);
    }

    /// <summary>An upsampling, and the residual blocks whose mean follows it.</summary>
    internal sealed record UpsamplingStage(TransposedConvolution Upsampling, IReadOnlyList<ResidualBlock> Blocks);
}
