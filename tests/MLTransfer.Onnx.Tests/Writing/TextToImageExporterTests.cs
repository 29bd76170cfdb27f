using System.Text.Json.Nodes;
using MLTransfer.Onnx.Checking;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Codecs;
using MLTransfer.Torch.Networks.Dalle;
using MLTransfer.Torch.Networks.DalleMini;
using Microsoft.ML.OnnxRuntime;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Tests.Writing;

/// <summary>Networks that write codes of pictures as graphs with past.</summary>
public sealed class TextToImageExporterTests : IDisposable
{
    private const string All = "\"attn_types\": [\"full\", \"axial_row\", \"axial_col\", \"conv_like\"]";

    private readonly TemporaryFolder _folder = new();
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_DALL_E_mini_in_ONNX_Runtime_gives_the_states_and_logits_of_the_reference()
    {
        var folder = RepositoryFiles.Data("images/min-dalle-tiny");
        using var model = DalleMiniModel.Load(folder);
        var files = TextToImageExporter.Export(model, null, _folder["export"]);
        Assert.Equal(["encoder_model.onnx", "decoder_model_merged.onnx", "image_decode.onnx"], files.Select(file => file.Name));
        Assert.All(files, file => Assert.InRange(file.LargestDifference!.Value, 0, 1e-4));

        using var reference = SafetensorsFile.Open(Path.Combine(folder, "forward.safetensors"));
        var text = reference.Read("text_tokens");
        var mask = text.ne(1).to(ScalarType.Int64);
        using var encoder = Session("encoder_model.onnx");
        var states = encoder.Run(("input_ids", text), ("attention_mask", mask));
        AssertClose(reference.Read("encoder_state"), states, 1e-4);
        using var decoder = Session("decoder_model_merged.onnx");
        var (ids, logits) = (reference.Read("decoder_input_ids"), reference.Read("logits"));
        foreach (var (start, count) in ((int, int)[])[(0, 1), (1, 9), (10, 6)])
        {
            var found = decoder.Run(
                ("input_ids", ids.narrow(1, start, count)), ("encoder_attention_mask", mask), ("encoder_hidden_states", states),
                ("use_cache_branch", tensor([start > 0])));
            AssertClose(logits.narrow(1, start, count), found, 1e-4);
        }
    }

    [Theory]
    [InlineData("dalle-transformer-tiny")]
    [InlineData("dalle-transformer-rotary-tiny")]
    [InlineData("dalle-transformer-reversible-tiny")]
    public void A_DALL_E_in_ONNX_Runtime_gives_the_logits_of_the_reference_code_by_code(string name)
    {
        using var model = DalleModel.Load(RepositoryFiles.Data($"images/{name}"));
        var files = TextToImageExporter.Export(model, null, _folder["export"]);
        Assert.Equal(["decoder_model_merged.onnx", "image_decode.onnx", "image_encode.onnx"], files.Select(file => file.Name));
        TextToImageExporter.Export(model, null, _folder["export"], new() { Check = false }); // an export is replaced

        using var reference = SafetensorsFile.Open(RepositoryFiles.Data($"images/{name}/forward.safetensors"));
        var (text, codes, logits) = (reference.Read("text_ids"), reference.Read("image_codes"), reference.Read("logits"));
        var ids = cat([zeros_like(text.narrow(1, 0, 1)), text, codes + model.Sizes.TextRows], 1);
        using var decoder = Session("decoder_model_merged.onnx");
        var start = 0;
        foreach (var count in (int[])[model.Sizes.TextPositions, 1, 1, 20, .. Enumerable.Repeat(1, 41)])
        {
            AssertClose(logits.narrow(1, start, count), decoder.Run(("input_ids", ids.narrow(1, start, count))), 1e-4);
            start += count;
        }

        Assert.Equal(logits.shape[1], start);
        Assert.Equal(float.MinValue, logits.min().item<float>());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{ \"dim\": 10, \"heads\": 3, \"dim_head\": 4, \"shift_tokens\": true, \"rotary_emb\": false, " + All + " }")]
    [InlineData("{ \"dim\": 9, \"heads\": 2, \"dim_head\": 7, \"reversible\": true, " + All + " }")]
    [InlineData("{ \"dim\": 12, \"heads\": 1, \"dim_head\": 20, \"stable\": true, \"sandwich_norm\": true, " + All + " }")]
    [InlineData("{ \"dim\": 14, \"dim_head\": 5, \"share_input_output_emb\": true, \"shared_attn_ids\": [0, 1, 0, 1], "
        + "\"attn_types\": [\"axial_col\", \"conv_like\"] }")]
    [InlineData("{ \"shared_ff_ids\": [\"a\", \"b\"], \"reversible\": true, \"stable\": true, \"rotary_emb\": false, " + All + " }")]
    [InlineData("{ \"shift_tokens\": false, \"share_input_output_emb\": true, \"reversible\": true, \"rotary_emb\": false }")]
    [InlineData("{ \"text_seq_len\": 1, \"attn_types\": [\"conv_like\", \"full\"], \"dim_head\": 6 }")]
    [InlineData("{ \"dim\": 2, \"heads\": 1, \"dim_head\": 1, " + All + " }")]
    [InlineData("{ \"attn_types\": [\"axial_row\"], \"stable\": true }", 1)]
    [InlineData("{ \"shift_tokens\": false, " + All + " }", 3)]
    public void DALL_Es_of_other_configurations_are_the_engine_s(string changes, int side = 6)
    {
        using var model = Create(changes, side);
        var files = TextToImageExporter.Export(model, null, _folder["export"]);
        Assert.All(files, file => Assert.InRange(file.LargestDifference!.Value, 0, 1e-4));
    }

    [Theory]
    [InlineData(OnnxPrecision.Float16)]
    [InlineData(OnnxPrecision.Int8)]
    [InlineData(OnnxPrecision.Int4)]
    public void Other_number_formats_are_checked_too_and_adapters_are_merged(OnnxPrecision precision)
    {
        using var dalle = Create("{ " + All + " }", side: 4);
        using var mini = DalleMiniModel.Load(RepositoryFiles.Data("images/min-dalle-tiny"));
        foreach (var model in (TextToImageModel[])[dalle, mini])
        {
            LowRankAdaptation.Attach(model, new LoraOptions { Rank = 2 }, seed: 1);
            Fill(model, 0.1);

            // Four bits are too few for the logits of so small a network to be near the engine's: the file is opened alone.
            var files = TextToImageExporter.Export(
                model, null, _folder["export"], new() { Precision = precision, Check = precision != OnnxPrecision.Int4 });
            Assert.Contains(files, file => file.Name == "decoder_model_merged.onnx" && file.Precision == precision);
        }
    }

    [Fact]
    public void Adapters_are_merged_to_the_engine_s_logits()
    {
        using var model = Create("{ " + All + " }", side: 4);
        LowRankAdaptation.Attach(model, new LoraOptions { Rank = 2 }, seed: 1);
        Fill(model, 0.3);
        Assert.InRange(TextToImageExporter.Export(model, null, _folder["export"])[0].LargestDifference!.Value, 0, 1e-4);
    }

    /// <summary>What the registry of networks holds of this kind, is exported.</summary>
    [Fact]
    public void Every_network_that_makes_pictures_of_codes_is_exported()
    {
        var found = new HashSet<Type>();
        foreach (var folder in Directory.EnumerateDirectories(RepositoryFiles.Data("images")))
        {
            if (Path.GetFileName(folder) is "image-metrics" or "stylegan2-projection-tiny")
                continue;
            using var network = GenerativeNetwork.Load(folder);
            found.Add(network.GetType());
            if (network is TextToImageModel model)
                Assert.NotEmpty(TextToImageExporter.Export(model, null, _folder["export"], new() { Check = false }));
            else
                ImageCodecExporter.ExportDecoder((ImageCodec)network, _folder["decode.onnx"]);
        }

        Type[] kinds = [typeof(TextToImageModel), typeof(ImageCodec)];
        Assert.DoesNotContain(
            typeof(TextToImageModel).Assembly.GetTypes(),
            type => !type.IsAbstract && kinds.Any(type.IsSubclassOf) && !found.Contains(type));
    }

    [Fact]
    public void Inputs_and_outputs_are_those_of_the_documentation()
    {
        using var model = Create("""{ "depth": 1 }""", side: 3);
        TextToImageExporter.Export(model, null, _folder["export"]);
        using var session = new InferenceSession(_folder["export/decoder_model_merged.onnx"]);
        Assert.Equal(
            [
                "input_ids", "past_key_values.0.key", "past_key_values.0.value", "past_key_values.0.attention",
                "past_key_values.0.feed_forward", "logits", "present.0.key", "present.0.value", "present.0.attention",
                "present.0.feed_forward",
            ],
            session.InputNames.Concat(session.OutputNames));
        Assert.Equal([-1, 1, -1, 16], session.InputMetadata["past_key_values.0.attention"].Dimensions);
    }

    [Theory]
    [InlineData(nameof(OnnxExportOptions.SeparateAdapter))]
    [InlineData(nameof(OnnxExportOptions.FileWithoutPast))]
    [InlineData(nameof(OnnxExportOptions.FusedOperators))]
    [InlineData(nameof(OnnxExportOptions.TransformersJsFiles))]
    public void Options_without_meaning_are_named(string option)
    {
        using var model = Create("""{ "depth": 1 }""", side: 2);
        var options = new OnnxExportOptions();
        typeof(OnnxExportOptions).GetProperty(option)!.SetValue(options, true);
        var error = Assert.Throws<ArgumentException>(() => TextToImageExporter.Export(model, null, _folder["export"], options));
        Assert.Contains(option, error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["export"]));
    }

    /// <summary>Random adapters.</summary>
    private static void Fill(TextToImageModel model, double deviation)
    {
        using var gradients = no_grad();
        using var generator = new Generator(5);
        foreach (var (_, parameter) in model.TrainableParameters())
            parameter.copy_(randn(parameter.shape, generator: generator) * deviation);
    }

    /// <summary>Random weights, in which everything counts.</summary>
    private static DalleModel Create(string changes, int side)
    {
        var codec = new JsonObject
        {
            ["image_size"] = 2 * side, ["num_layers"] = 1, ["num_tokens"] = 11, ["codebook_dim"] = 4, ["hidden_dim"] = 4,
        };
        var configuration = DalleModel.Configure(codec, textVocabulary: 17, textLength: 5, width: 16, depth: 4, heads: 2, headWidth: 12);
        foreach (var (key, value) in JsonNode.Parse(changes)!.AsObject())
            configuration["hparams"]![key] = value!.DeepClone();
        var model = DalleModel.Create(configuration, seed: 3);
        using var gradients = no_grad();
        using var generator = new Generator(8);
        foreach (var (name, parameter) in model.named_parameters())
            parameter.add_(randn(parameter.shape, generator: generator) * (name.EndsWith(".scale", StringComparison.Ordinal) ? 1 : 0.2));
        return model;
    }

    private OnnxModelSession Session(string file) => new(ExportedSession.Open(Path.Combine(_folder["export"], file), file));

    private static void AssertClose(Tensor expected, Tensor found, double tolerance)
    {
        Assert.Equal(expected.shape, found.shape);
        Assert.InRange(TransformerComparison.Difference(expected, found), 0, tolerance);
    }
}
