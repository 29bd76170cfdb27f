using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Codecs;

/// <summary>What the reference's discrete VAEs compute with the same weights.</summary>
public sealed class DiscreteVaeReferenceTests : IDisposable
{
    private const double Tolerance = 3e-5;

    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Dalle_logits_codes_and_pictures_equal_the_reference()
    {
        using var codec = Assert.IsType<DiscreteVaeModel>(GenerativeNetwork.Load(RepositoryFiles.Data("images/dalle-dvae-tiny")));
        using var reference = Forward("dalle-dvae-tiny");
        using var gradients = no_grad();
        var input = reference.Read("input_images");
        AssertClose(reference.Read("z_logits"), codec.Layout.Logits(input));
        var codes = codec.Encode((input - 0.1) / 0.8);
        var tokens = reference.Read("tokens").flatten(1);
        Assert.True(tokens.equal(codes).all().item<bool>());
        AssertClose(reference.Read("decoder_output"), codec.Layout.DecodeCodes(reference.Read("tokens")));
        AssertClose(reference.Read("images"), codec.Decode(tokens));
        Assert.Equal((8, 32, 256, true), (codec.DownsamplingFactor, codec.CodebookSize, codec.ImageSize, codec.CanEncode));
    }

    [Fact]
    public void One_hot_weights_of_codewords_decode_as_their_codes_do()
    {
        foreach (var name in (string[])["dalle-dvae-tiny", "discrete-vae-tiny"])
        {
            using var codec = DiscreteVaeModel.Load(RepositoryFiles.Data($"images/{name}"));
            using var gradients = no_grad();
            var codes = randint(0, codec.CodebookSize, [2, 3, 2]);
            var weights = nn.functional.one_hot(codes, codec.CodebookSize).to(ScalarType.Float32).permute(0, 3, 1, 2);
            AssertClose(codec.Layout.Decode(weights), codec.Layout.DecodeCodes(codes));
        }
    }

    [Fact]
    public void Replicated_logits_codes_and_pictures_equal_the_reference()
    {
        using var codec = Assert.IsType<DiscreteVaeModel>(GenerativeNetwork.Load(RepositoryFiles.Data("images/discrete-vae-tiny")));
        using var reference = Forward("discrete-vae-tiny");
        using var gradients = no_grad();
        var images = reference.Read("images");
        var logits = codec.Layout.Logits(codec.Layout.Normalize(images));
        AssertClose(reference.Read("logits"), logits);
        Assert.True(reference.Read("codes").equal(codec.Encode(images)).all().item<bool>());
        var decoded = reference.Read("decoded"); // in normalized pixels
        AssertClose(decoded, codec.Layout.DecodeCodes(reference.Read("codes").view(2, 4, 4)));
        AssertClose((decoded * 0.5 + 0.5).clamp(0, 1), codec.Decode(reference.Read("codes")));
        Assert.Equal((4, 24, 16, 4), (codec.DownsamplingFactor, codec.CodebookSize, codec.ImageSize, codec.CodesPerSide));
    }

    [Fact]
    public void Relaxed_codewords_decode_as_the_reference_does()
    {
        using var dalle = DiscreteVaeModel.Load(RepositoryFiles.Data("images/dvae-training-tiny"));
        using var reference = Forward("dvae-training-tiny");
        using var gradients = no_grad();
        AssertClose(reference.Read("decoder_output"), dalle.Layout.Decode(reference.Read("relaxed")));
        AssertClose(reference.Read("decoder_output_straight_through"), dalle.Layout.Decode(reference.Read("relaxed_straight_through")));
    }

    [Fact]
    public void Pictures_of_other_sizes_and_large_batches_are_encoded_part_by_part()
    {
        using var codec = DiscreteVaeModel.Create(DiscreteVaeModel.Configure(64, 16, groups: 3, blocksPerGroup: 1, width: 512), seed: 1);
        var images = rand(40, 3, 16, 24);
        var codes = codec.Encode(images);
        Assert.Equal([40, 24], codes.shape);
        Assert.True(codec.Encode(images[39].unsqueeze(0)).equal(codes[39]).all().item<bool>());
        Assert.Equal([40, 3, 16, 24], codec.Decode(codes, rows: 4).shape);
    }

    private static SafetensorsFile Forward(string folder) =>
        SafetensorsFile.Open(RepositoryFiles.Data($"images/{folder}/forward.safetensors"));

    private static void AssertClose(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        var difference = (expected - actual).abs().max().item<float>();
        Assert.True(difference <= Tolerance, $"{difference} is more than {Tolerance}.");
    }
}
