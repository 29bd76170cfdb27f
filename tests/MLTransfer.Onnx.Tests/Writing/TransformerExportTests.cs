using MLTransfer.Onnx.Generation;
using MLTransfer.Onnx.Schema;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Families;
using MLTransfer.Torch.Tests.Networks.Transformers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Tests.Writing;

/// <summary>
/// Exports of every family give in ONNX Runtime what the modules give: that is what an export checks before its folder gets its name.
/// </summary>
[Collection(ProcessWideState.Name)]
public sealed class TransformerExportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static IEnumerable<TheoryDataRow<string, bool>> Checkpoints =>
        from row in FamilyFolders.All
        from fused in (bool[])[false, true]
        select new TheoryDataRow<string, bool>(row.Data, fused);

    public static IEnumerable<TheoryDataRow<string, OnnxPrecision>> Precisions =>
        from family in FamilyRegistry.All
        from precision in Enum.GetValues<OnnxPrecision>()
        select new TheoryDataRow<string, OnnxPrecision>(family.ModelType, precision);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void Every_checkpoint_gives_the_modules_logits(string name, bool fused)
    {
        using var network = FamilyFolders.Load(name);

        var files = OnnxExporter.Export(network, null, _folder["export"], new OnnxExportOptions { FusedOperators = fused });

        Assert.All(files, file => Assert.InRange(file.LargestDifference!.Value, 0, 1e-4));
        Assert.Equal(
            files.Select(file => file.Name).Order(StringComparer.Ordinal),
            Directory.EnumerateFiles(_folder["export"], "*.onnx").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Precisions))]
    public void Every_family_is_exported_in_every_precision(string modelType, OnnxPrecision precision)
    {
        using var network = FamilyFolders.CreateWide(modelType);

        var files = OnnxExporter.Export(network, null, _folder["export"], new OnnxExportOptions { Precision = precision });

        Assert.All(files, file => Assert.NotNull(file.LargestDifference));
    }

    public static IEnumerable<TheoryDataRow<string>> Decoders =>
        from family in FamilyRegistry.All
        where FamilyFolders.IsTextDecoder(family.ModelType)
        select new TheoryDataRow<string>(FamilyFolders.FirstOf(family.ModelType));

    [Theory]
    [MemberData(nameof(Decoders))]
    public void ONNX_Runtime_generates_the_modules_tokens(string name)
    {
        using var model = (CausalLanguageModel)FamilyFolders.Load(name);
        OnnxExporter.Export(model, null, _folder["export"], new OnnxExportOptions { Check = false });
        var options = new OnnxRuntimeOptions { ThreadCount = 1 };
        using var decoder = new OnnxDecoder(OnnxExportFiles.Find(_folder["export"], options), options);
        int[][] prompts = [[5, 9, 11, 20, 3, 8], [7, 4]];
        var generation = new GenerationOptions { MaximumNewTokens = 10, EndOfSequenceIds = [] };

        var expected = new TokenGenerator(model).Generate(prompts, generation);
        var found = new TokenGenerator(decoder, null, null).Generate(prompts, generation);

        Assert.Equal(expected.Select(rows => rows[0].TokenIds), found.Select(rows => rows[0].TokenIds));
        Assert.All(found, rows => Assert.Equal(10, rows[0].TokenIds.Count));
    }

    [Theory]
    [InlineData("llama-tiny", false, true)]
    [InlineData("llama-tiny", true, true)]
    [InlineData("phi3-tiny", true, true)]
    [InlineData("bert-tiny", true, true)]
    [InlineData("gpt-neox-tiny", true, false)]
    [InlineData("t5-tiny", false, false)]
    public void Adapters_are_exported_merged_and_apart(string name, bool apart, bool allLayers)
    {
        using var network = name == "phi3-tiny" ? FamilyFolders.CreateWide("phi3") : FamilyFolders.Load(name);
        LowRankAdaptation.Attach(network, new LoraOptions { Rank = 3, TargetModules = allLayers ? ["all-linear"] : null });
        using (no_grad())
        {
            foreach (var (_, parameter) in network.TrainableParameters())
                nn.init.normal_(parameter, 0, 0.2);
        }

        var files = OnnxExporter.Export(network, null, _folder["export"], new OnnxExportOptions { SeparateAdapter = apart });

        Assert.All(files, file => Assert.InRange(file.LargestDifference!.Value, 0, 3e-4));
        Assert.Equal(apart, File.Exists(_folder["export/adapter.onnx_data"]));
    }

    [Fact]
    public void Inputs_and_outputs_have_the_names_and_shapes_that_Optimum_gives_them()
    {
        Assert.Equal(
            [
                "input_ids batch_size,sequence_length",
                "attention_mask batch_size,past_sequence_length + sequence_length",
                "position_ids batch_size,sequence_length",
                "past_key_values.0.key batch_size,2,past_sequence_length,8",
                "past_key_values.0.value batch_size,2,past_sequence_length,8",
                "past_key_values.1.key batch_size,2,past_sequence_length,8",
                "past_key_values.1.value batch_size,2,past_sequence_length,8",
                "logits batch_size,sequence_length,700",
                "present.0.key batch_size,2,past_sequence_length + sequence_length,8",
                "present.0.value batch_size,2,past_sequence_length + sequence_length,8",
                "present.1.key batch_size,2,past_sequence_length + sequence_length,8",
                "present.1.value batch_size,2,past_sequence_length + sequence_length,8",
            ], Signature("llama-tiny", "model.onnx"));
        Assert.Equal(
            ["input_ids batch_size,sequence_length", "attention_mask batch_size,sequence_length",
                "token_type_ids batch_size,sequence_length",
                "logits batch_size,sequence_length,800"], Signature("bert-tiny", "model.onnx"));
        Assert.Equal(
            ["input_ids batch_size,sequence_length", "attention_mask batch_size,sequence_length",
                "last_hidden_state batch_size,sequence_length,32"],
            Signature("t5-tiny", "encoder_model.onnx"));
        Assert.Equal(
            ["input_ids", "encoder_attention_mask", "encoder_hidden_states", "logits", .. Tensors("present", "decoder", "encoder")],
            Signature("t5-tiny", "decoder_model.onnx").Select(value => value.Split(' ')[0]));
        Assert.Equal(
            ["input_ids", "encoder_attention_mask", .. Tensors("past_key_values", "decoder", "encoder"), "logits",
                .. Tensors("present", "decoder")],
            Signature("t5-tiny", "decoder_with_past_model.onnx").Select(value => value.Split(' ')[0]));

        static IEnumerable<string> Tensors(string kind, params string[] sides) =>
            from layer in Enumerable.Range(0, 2)
            from side in sides
            from part in (string[])["key", "value"]
            select $"{kind}.{layer}.{side}.{part}";
    }

    [Fact]
    public void Rows_of_an_encoder_that_are_nothing_but_padding_see_all_of_it()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var network = (MaskedLanguageModel)FamilyFolders.Load("distilbert-tiny");
        OnnxExporter.Export(network, null, _folder["export"], new OnnxExportOptions { Check = false });
        var (ids, mask) = (tensor((long[])[3, 5, 7, 9, 11, 13], [2, 3]), tensor((long[])[1, 1, 0, 0, 0, 0], [2, 3]));

        using var session = LogitComparison.Open(_folder["export"]);
        var found = session.Run(("input_ids", ids), ("attention_mask", mask));

        var expected = network.Forward(new ModelInput(ids) { AttentionMask = mask });
        Assert.InRange((found - expected).abs().max().item<float>(), 0, 1e-4);
    }

    [Fact]
    public void Options_that_make_no_sense_for_a_network_are_refused()
    {
        using var both = FamilyFolders.Load("t5-tiny");
        using var encoder = FamilyFolders.Load("bert-tiny");
        LowRankAdaptation.Attach(both, new LoraOptions { Rank = 2 });

        Refused("SeparateAdapter", both, new OnnxExportOptions { SeparateAdapter = true });
        Refused("TransformersJsFiles", both, new OnnxExportOptions { TransformersJsFiles = true });
        Refused("FileWithoutPast", both, new OnnxExportOptions { FileWithoutPast = true });
        Refused("FileWithoutPast", encoder, new OnnxExportOptions { FileWithoutPast = true });

        void Refused(string option, TransformerNetwork network, OnnxExportOptions options)
        {
            var message = Assert.Throws<ArgumentException>(() => OnnxExporter.Export(network, null, _folder["export"], options)).Message;
            Assert.Contains(option, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_export_of_an_encoder_with_a_decoder_is_replaced_as_others_are()
    {
        using var network = FamilyFolders.Load("bart-tiny");
        OnnxExporter.Export(network, null, _folder["export"], new OnnxExportOptions { Check = false });
        OnnxExporter.Export(network, null, _folder["export"], new OnnxExportOptions { Check = false });

        Assert.Equal(
            ["config.json", "decoder_model.onnx", "decoder_with_past_model.onnx", "encoder_model.onnx", "generation_config.json"],
            Directory.EnumerateFiles(_folder["export"]).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
    }

    /// <summary>Inputs, then outputs.</summary>
    private IEnumerable<string> Signature(string name, string file)
    {
        using var network = FamilyFolders.Load(name);
        OnnxExporter.Export(network, null, _folder[name], new OnnxExportOptions { Check = false });
        using var stream = File.OpenRead(Path.Combine(_folder[name], file));
        var graph = ModelProto.Parser.ParseFrom(stream).Graph;
        return graph.Input.Concat(graph.Output).Select(
            value => $"{value.Name} {string.Join(',', value.Type.TensorType.Shape.Dim.Select(Extent))}");

        static string Extent(TensorShapeProto.Types.Dimension dimension) =>
            dimension.DimParam.Length > 0 ? dimension.DimParam : $"{dimension.DimValue}";
    }
}
