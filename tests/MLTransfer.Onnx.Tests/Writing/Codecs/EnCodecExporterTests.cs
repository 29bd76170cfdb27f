using System.Text.Json.Nodes;
using Microsoft.ML.OnnxRuntime;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Tests.Writing.Codecs;

[Collection(ProcessWideState.Name)]
public sealed class EnCodecExporterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("encodec-24khz-tiny", "0.9", "2.0", "3.6")]
    [InlineData("encodec-32khz-tiny", "1.4")]
    public void ONNX_Runtime_gives_the_codes_and_sounds_of_the_reference(string name, params string[] bandwidths)
    {
        using var codec = EnCodecModel.Load(RepositoryFiles.Data($"codecs/{name}"));
        using var reference = SafetensorsFile.Open(RepositoryFiles.Data($"codecs/{name}/forward.safetensors"));
        Assert.InRange(EnCodecExporter.ExportDecoder(codec, _folder[EnCodecExporter.DecoderFile]), 0, 1e-3);
        using var decoder = new InferenceSession(_folder["encodec_decode.onnx"]);
        Assert.Equal(["audio_codes", "audio_values"], decoder.InputNames.Concat(decoder.OutputNames));
        foreach (var bandwidth in bandwidths)
        {
            var path = _folder[bandwidth + EnCodecExporter.EncoderFile];
            Assert.Equal(0, EnCodecExporter.ExportEncoder(
                codec, path, double.Parse(bandwidth, System.Globalization.CultureInfo.InvariantCulture)));
            using var encoder = new InferenceSession(path);
            Assert.Equal(["input_values", "audio_codes"], encoder.InputNames.Concat(encoder.OutputNames));
            foreach (var prefix in (string[])["", "short0.", "short1."])
            {
                if (!reference.Tensors.ContainsKey($"{prefix}audio_codes.{bandwidth}"))
                    continue;
                var codes = reference.Read($"{prefix}audio_codes.{bandwidth}");
                var found = Run<float, long>(encoder, "audio_codes", ("input_values", reference.Read(prefix + "input_values")));
                Assert.Equal(codes.shape, found.shape);
                Assert.True(codes.equal(found).all().item<bool>());
                var expected = reference.Read($"{prefix}audio_values.{bandwidth}");
                var sounds = Run<long, float>(decoder, "audio_values", ("audio_codes", codes));
                Assert.Equal(expected.shape, sounds.shape);
                Assert.InRange((expected - sounds).abs().max().item<float>(), 0, 1e-3);
            }
        }
    }

    [Theory]
    [InlineData("""{ "use_causal_conv": false, "num_residual_layers": 2, "residual_kernel_size": 4, "pad_mode": "replicate" }""")]
    [InlineData("""{ "trim_right_ratio": 0.4, "pad_mode": "constant", "use_conv_shortcut": false, "num_lstm_layers": 1 }""")]
    [InlineData("""{ "norm_type": "time_group_norm", "audio_channels": 2, "normalize": true, "upsampling_ratios": [3, 5] }""")]
    [InlineData("""{ "norm_type": "time_group_norm", "use_causal_conv": false, "normalize": true }""")]
    public void Other_configurations_give_what_the_engine_gives(string changes)
    {
        var configuration = EnCodecModel.Configure(
            sampleRate: 1000, bandwidths: [1, 4], filters: 3, ratios: [3, 2], hiddenWidth: 5, codebookSize: 16);
        foreach (var (key, value) in JsonNode.Parse(changes)!.AsObject())
            configuration[key] = value?.DeepClone();
        using var codec = EnCodecModel.Create(configuration, seed: 3);
        Assert.InRange(EnCodecExporter.ExportDecoder(codec, _folder["decoder.onnx"]), 0, 1e-3);
        Assert.InRange(EnCodecExporter.ExportEncoder(codec, _folder["encoder.onnx"], bandwidth: 4), 0, 0.02);
        using var encoder = new InferenceSession(_folder["encoder.onnx"]);
        foreach (var length in (int[])[1, 5, 40])
        {
            var sound = randn([1, codec.Channels, length], generator: new Generator(4));
            using var expected = codec.Encode(sound, bandwidth: 4);
            var found = Run<float, long>(encoder, "audio_codes", ("input_values", sound));
            Assert.Equal(expected.Codes.shape, found.shape);
            Assert.InRange(found.ne(expected.Codes).to(float32).mean().item<float>(), 0, 0.05);
        }
    }

    [Fact]
    public void A_codec_with_chunks_is_refused()
    {
        using var codec = EnCodecModel.Load(RepositoryFiles.Data("codecs/encodec-48khz-tiny"));
        Assert.Contains("chunk_length_s", Assert.Throws<NotSupportedException>(
            () => EnCodecExporter.ExportDecoder(codec, _folder["decoder.onnx"])).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(_folder.Path));
    }

    private static Tensor Run<TInput, TOutput>(InferenceSession session, string output, (string Name, Tensor Value) input)
        where TInput : unmanaged
        where TOutput : unmanaged
    {
        using var value = OrtValue.CreateTensorValueFromMemory(input.Value.contiguous().data<TInput>().ToArray(), input.Value.shape);
        using var run = new RunOptions();
        using var outputs = session.Run(run, [input.Name], [value], [output]);
        var (values, shape) = (outputs[0].GetTensorDataAsSpan<TOutput>().ToArray(), outputs[0].GetTensorTypeAndShape().Shape);
        return values is long[] codes ? tensor(codes, shape) : tensor((float[])(object)values, shape);
    }
}
