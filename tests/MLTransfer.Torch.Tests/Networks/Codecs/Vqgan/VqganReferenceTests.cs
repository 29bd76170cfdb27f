using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Codecs.Vqgan;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Codecs.Vqgan;

/// <summary>What the reference codec computes with the same weights.</summary>
public sealed class VqganReferenceTests : IDisposable
{
    private const double Tolerance = 3e-5;

    private static readonly string s_data = RepositoryFiles.Data("images/vqgan-tiny");

    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Vectors_codes_and_pictures_equal_the_reference()
    {
        using var codec = Assert.IsType<VqganModel>(GenerativeNetwork.Load(s_data));
        using var reference = SafetensorsFile.Open(Path.Combine(s_data, "forward.safetensors"));
        var images = reference.Read("input_images");
        using var gradients = no_grad();
        AssertClose(reference.Read("pre_quant"), codec.Embed(images));
        var codes = reference.Read("codes").flatten(1);
        Assert.True(codes.equal(codec.Quantizer.Nearest(codec.Embed(images))).all().item<bool>());
        AssertClose(reference.Read("quantized"), codec.Quantizer.Look(codes, rows: 8));
        AssertClose(reference.Read("reconstruction"), codec.Reconstruct(reference.Read("quantized")));

        Assert.True(codes.equal(codec.Encode((images + 1) / 2)).all().item<bool>());
        AssertClose(((reference.Read("reconstruction") + 1) / 2).clamp(0, 1), codec.Decode(codes));
        Assert.Equal((16, 2, 8, 48), (codec.ImageSize, codec.DownsamplingFactor, codec.CodesPerSide, codec.CodebookSize));
    }

    [Fact]
    public void The_checkpoint_of_its_training_program_is_the_same_codec_in_half_precision()
    {
        using var folder = new TemporaryFolder();
        foreach (var file in (string[])["model.yaml", "last.ckpt"])
            File.Copy(Path.Combine(s_data, file), folder[file]);
        using var codec = Assert.IsType<VqganModel>(GenerativeNetwork.Load(folder.Path));
        using var twin = VqganModel.Load(s_data);
        var weights = codec.CheckpointTensors().ToDictionary();
        foreach (var (name, weight) in twin.CheckpointTensors())
            Assert.True(weight.to(ScalarType.Float16).to(ScalarType.Float32).equal(weights[name]).all().item<bool>(), name);
        Assert.True(System.Text.Json.Nodes.JsonNode.DeepEquals(twin.Configuration["ddconfig"], codec.Configuration["ddconfig"]));
        Assert.Equal((16, 2, 48), (codec.ImageSize, codec.DownsamplingFactor, codec.CodebookSize));
    }

    [Fact]
    public void A_saved_codec_is_the_same_when_it_is_loaded()
    {
        using var folder = new TemporaryFolder();
        using var codec = VqganModel.Load(s_data);
        codec.Save(folder.Path);
        using var loaded = Assert.IsType<VqganModel>(GenerativeNetwork.Load(folder.Path));
        Assert.Equal(codec.ComputeFingerprint(), loaded.ComputeFingerprint());
        using var images = rand([1, 3, 16, 16], generator: new Generator(3));
        Assert.True(codec.Encode(images).equal(loaded.Encode(images)).all().item<bool>());
    }

    [Fact]
    public void A_picture_does_not_depend_on_the_others_of_its_batch()
    {
        using var codec = VqganModel.Load(s_data);
        var images = rand([3, 3, 24, 16], generator: new Generator(3));
        var codes = codec.Encode(images);
        Assert.Equal([3, 96], codes.shape);
        var pictures = codec.Decode(codes, rows: 12);
        Assert.Equal(images.shape, pictures.shape);
        for (var row = 0; row < 3; row++)
        {
            Assert.True(codes[row].equal(codec.Encode(images.narrow(0, row, 1))[0]).all().item<bool>());
            Assert.True(pictures[row].equal(codec.Decode(codes.narrow(0, row, 1), rows: 12)[0]).all().item<bool>());
        }
    }

    private static void AssertClose(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        var error = (expected - actual).abs().max().item<float>();
        Assert.True(error <= Tolerance, $"the largest difference is {error}");
    }
}
