using System.Text.Json.Nodes;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Numerics;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Codecs;

/// <summary>Configurations that the reference data have not, against formulas in float64.</summary>
public class EnCodecFormulaTests
{
    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{ "use_causal_conv": false, "num_residual_layers": 3, "dilation_growth_rate": 3, "residual_kernel_size": 4 }""")]
    [InlineData("""{ "trim_right_ratio": 0.4, "upsampling_ratios": [3, 5], "pad_mode": "replicate", "compress": 3 }""")]
    [InlineData("""{ "trim_right_ratio": 0, "pad_mode": "constant", "use_conv_shortcut": false, "num_lstm_layers": 1 }""")]
    [InlineData("""{ "norm_type": "time_group_norm", "trim_right_ratio": 0.7, "audio_channels": 2, "num_residual_layers": 0 }""")]
    [InlineData("""{ "norm_type": "time_group_norm", "use_causal_conv": false, "pad_mode": "replicate", "num_lstm_layers": 3 }""")]
    [InlineData("""{ "use_causal_conv": false, "kernel_size": 4, "last_kernel_size": 6, "upsampling_ratios": [1, 7], "compress": 1 }""")]
    [InlineData("""{ "use_causal_conv": false, "kernel_size": 1, "last_kernel_size": 1, "audio_channels": 2, "pad_mode": "constant" }""")]
    public void Vectors_and_sounds_are_what_the_formulas_say(string changes)
    {
        using var scope = NewDisposeScope();
        using var codec = Create(changes);
        var formulas = new EnCodecFromTheFormulas(codec);
        var random = new SplitMix64(7);
        // Normalized outputs of a step or two are divided by deviations near 0, which makes rounding errors larger.
        var tolerance = codec.Sizes.HasWeightNorm ? 2e-5 : 5e-3;
        foreach (var length in (int[])[1, codec.HopLength - 1, 3 * codec.HopLength + 2])
        {
            var sound = Enumerable.Range(0, codec.Channels)
                .Select(_ => Enumerable.Range(0, length).Select(_ => random.NextNormal()).ToArray()).ToArray();
            var embeddings = codec.Embed(Batch(sound));
            AssertClose(formulas.Encode(sound), embeddings[0], tolerance);
            AssertClose(formulas.Encode(sound), codec.Encoder.Forward(Batch(sound))[0], tolerance); // with gradients, by tensor operations
            var vectors = Enumerable.Range(0, codec.EmbeddingWidth)
                .Select(_ => Enumerable.Range(0, (int)embeddings.shape[2]).Select(_ => random.NextNormal()).ToArray()).ToArray();
            AssertClose(formulas.Decode(vectors), codec.Decoder.Forward(Batch(vectors))[0], tolerance);
            using var gradients = no_grad();
            AssertClose(formulas.Decode(vectors), codec.Decoder.Forward(Batch(vectors))[0], tolerance);
        }
    }

    [Fact]
    public void A_batch_gives_what_its_sounds_give_alone()
    {
        using var scope = NewDisposeScope();
        using var codec = Create("""{ "use_causal_conv": false }""");
        var sounds = randn([3, 1, 50], generator: new Generator(1));
        using var together = codec.Encode(sounds);
        var decoded = codec.Decode(together);
        for (var row = 0; row < 3; row++)
        {
            using var alone = codec.Encode(sounds.narrow(0, row, 1));
            Assert.True(alone.Codes.equal(together.Codes.narrow(1, row, 1)).all().item<bool>());
            Assert.True((codec.Decode(alone) - decoded.narrow(0, row, 1)).abs().max().item<float>() < 1e-5);
        }
    }

    /// <summary>One more than the last chunk comes out short where the last one lies within the overlap.</summary>
    [Fact]
    public void Sounds_of_every_length_come_back_in_their_length()
    {
        using var scope = NewDisposeScope();
        using var codec = Create("""{ "chunk_length_s": 0.025, "overlap": 0.3, "normalize": true, "use_causal_conv": false }""");
        Assert.Equal((25, 17), (codec.ChunkLength, codec.ChunkStride));
        var sound = randn([1, 1, 120], generator: new Generator(2));
        for (var length = 1; length <= 120; length++)
        {
            using var codes = codec.Encode(sound.narrow(2, 0, length));
            Assert.Equal((length + 16) / 17, codes.ChunkFrames.Count);
            Assert.Equal(
                Enumerable.Range(0, codes.ChunkFrames.Count).Select(chunk => (Math.Min(25, length - 17 * chunk) + 5) / 6),
                codes.ChunkFrames);
            var decoded = codec.Decode(codes);
            Assert.Equal(length, decoded.shape[2]);
            Assert.True(decoded.isfinite().all().item<bool>());
        }
    }

    [Fact]
    public void Overlapping_chunks_are_weighted_by_their_distance_from_the_ends()
    {
        using var scope = NewDisposeScope();
        var joined = OverlapAdd.Join([ones(1, 1, 3), 2 * ones(1, 1, 3)], stride: 2);
        // weights 1/4, 1/2, 1/4; the third sample is in both chunks
        Assert.Equal([1, 1, 1.5f, 2, 2], joined.data<float>().ToArray());
    }

    internal static EnCodecModel Create(string changes)
    {
        var configuration = EnCodecModel.Configure(
            sampleRate: 1000, bandwidths: [1, 4], filters: 3, ratios: [3, 2], hiddenWidth: 5, codebookSize: 16);
        foreach (var (key, value) in JsonNode.Parse(changes)!.AsObject())
            configuration[key] = value?.DeepClone();
        return EnCodecModel.Create(configuration, seed: 3);
    }

    private static Tensor Batch(double[][] sequence) => stack(sequence.Select(channel => tensor(channel))).unsqueeze(0).to(float32);

    private static void AssertClose(double[][] expected, Tensor actual, double tolerance)
    {
        var wanted = Batch(expected)[0];
        Assert.Equal(wanted.shape, actual.shape);
        var difference = ((wanted - actual).abs() / (1 + wanted.abs())).max().item<float>();
        Assert.True(difference < tolerance, $"{difference}");
    }
}
