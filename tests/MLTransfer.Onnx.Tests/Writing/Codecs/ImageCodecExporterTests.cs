using System.Text.Json.Nodes;
using MLTransfer.Onnx.Checking;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Codecs;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Networks.Codecs.Vqgan;
using MLTransfer.Torch.Networks.DalleMini;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Tests.Writing.Codecs;

/// <summary>Codecs of pictures as graphs: the pictures and codes of the reference, and of configurations that it has no files of.</summary>
public sealed class ImageCodecExporterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_VQGAN_gives_the_codes_and_pictures_of_the_reference()
    {
        var (codec, reference) = Open("vqgan-tiny");
        using (codec)
        using (reference)
        {
            AssertEqual(
                codec, (reference.Read("input_images") + 1) / 2, reference.Read("codes"),
                ((reference.Read("reconstruction") + 1) / 2).clamp(0, 1));
        }
    }

    [Fact]
    public void A_discrete_VAE_of_the_authors_gives_the_codes_and_pictures_of_the_reference()
    {
        var (codec, reference) = Open("dalle-dvae-tiny");
        using (codec)
        using (reference)
            AssertEqual(codec, (reference.Read("input_images") - 0.1) / 0.8, reference.Read("tokens"), reference.Read("images"));
    }

    [Fact]
    public void A_discrete_VAE_of_the_replication_gives_the_codes_and_pictures_of_the_reference()
    {
        var (codec, reference) = Open("discrete-vae-tiny");
        using (codec)
        using (reference)
        {
            AssertEqual(
                codec, reference.Read("images"), reference.Read("codes").view(2, 4, 4),
                (reference.Read("decoded") * 0.5 + 0.5).clamp(0, 1));
        }
    }

    [Fact]
    public void The_decoder_of_a_DALL_E_mini_has_no_encoder_and_gives_the_pictures_of_the_reference()
    {
        var folder = RepositoryFiles.Data("images/min-dalle-tiny");
        using var model = DalleMiniModel.Load(folder);
        using var reference = SafetensorsFile.Open(Path.Combine(folder, "forward.safetensors"));
        ImageCodecExporter.ExportDecoder(model.Codec, _folder["decode.onnx"]);
        var found = Run("decode.onnx", ("image_codes", reference.Read("codes").view(2, 4, 4)));
        AssertClose(reference.Read("images") / 255, found.permute(0, 2, 3, 1));
        Assert.Contains("decoder alone", Assert.Throws<NotSupportedException>(
            () => ImageCodecExporter.ExportEncoder(model.Codec, _folder["encode.onnx"])).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["encode.onnx"]));
    }

    [Theory]
    [InlineData(new[] { 1, 2, 1 }, 1, new[] { 10 }, 20, true)] // attention by the nominal side
    [InlineData(new[] { 1, 1 }, 2, new[] { 8, 4 }, 8, false)]  // halved by means of four
    [InlineData(new[] { 2 }, 1, new int[0], 7, true)]          // a pixel is a code
    public void VQGANs_of_other_configurations_are_the_engine_s(
        int[] multipliers, int blocks, int[] attention, int resolution, bool convolutions)
    {
        var configuration = VqganModel.Configure(
            resolution, codebookSize: 11, codewordWidth: 5, channels: 32, multipliers, blocks, attention, latentChannels: 3);
        configuration["ddconfig"]!["resamp_with_conv"] = convolutions;
        using var codec = VqganModel.Create(configuration, seed: 4);
        AssertExported(codec);
    }

    [Theory]
    [InlineData("""{ "num_resnet_blocks": 0 }""")]
    [InlineData("""{ "num_resnet_blocks": 2, "num_layers": 1, "codebook_dim": 7 }""")]
    [InlineData("""{ "normalization": null }""")]
    [InlineData("""{ "normalization": [[0.4, 0.5, 0.6], [0.2, 0.3, 0.4]], "num_layers": 3 }""")]
    public void Discrete_VAEs_of_other_arguments_are_the_engine_s(string changes)
    {
        var sizes = new JsonObject
        {
            ["architecture"] = "discrete-vae", ["image_size"] = 16, ["num_layers"] = 2, ["num_tokens"] = 24, ["codebook_dim"] = 8,
            ["hidden_dim"] = 12, ["num_resnet_blocks"] = 1,
        };
        foreach (var (key, value) in JsonNode.Parse(changes)!.AsObject())
            sizes[key] = value?.DeepClone();
        using var codec = DiscreteVaeModel.Create(sizes, seed: 4);
        AssertExported(codec);
    }

    [Theory]
    [InlineData(3, 2, 0.0)]
    [InlineData(1, 1, 0.2)]
    public void Discrete_VAEs_of_the_authors_kind_are_the_engine_s(int groups, int blocks, double margin)
    {
        using var codec = DiscreteVaeModel.Create(
            DiscreteVaeModel.Configure(16, 20, groups, blocks, width: 8, decoderInputWidth: 6, margin), seed: 4);
        AssertExported(codec);
    }

    /// <summary>Random weights; norms and biases too.</summary>
    private void AssertExported(ImageCodec codec)
    {
        using (no_grad())
        {
            foreach (var (name, weight) in codec.CheckpointTensors())
                weight.add_(randn(weight.shape, generator: new Generator((ulong)name.Length)) * 0.1);
        }

        Assert.InRange(ImageCodecExporter.ExportDecoder(codec, _folder["decode.onnx"]), 0, 1e-4);
        Assert.InRange(ImageCodecExporter.ExportEncoder(codec, _folder["encode.onnx"]), 0, 0.1);
    }

    private static (ImageCodec Codec, SafetensorsFile Reference) Open(string name) => (
        (ImageCodec)GenerativeNetwork.Load(RepositoryFiles.Data($"images/{name}")),
        SafetensorsFile.Open(RepositoryFiles.Data($"images/{name}/forward.safetensors")));

    private void AssertEqual(ImageCodec codec, Tensor input, Tensor codes, Tensor pictures)
    {
        ImageCodecExporter.ExportDecoder(codec, _folder["decode.onnx"]);
        ImageCodecExporter.ExportEncoder(codec, _folder["encode.onnx"]);
        Assert.True(codes.equal(Run("encode.onnx", ("pixel_values", input))).all().item<bool>());
        AssertClose(pictures, Run("decode.onnx", ("image_codes", codes)));
    }

    private Tensor Run(string file, (string Name, Tensor Value) input)
    {
        using var session = new OnnxModelSession(ExportedSession.Open(_folder[file], file));
        return session.Run(input);
    }

    private static void AssertClose(Tensor expected, Tensor found)
    {
        Assert.Equal(expected.shape, found.shape);
        Assert.InRange((expected - found).abs().max().item<float>(), 0, 1e-4);
    }
}
