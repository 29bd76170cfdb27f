using Google.Protobuf;
using MLTransfer.Onnx.Schema;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using Xunit;

namespace MLTransfer.Onnx.Tests;

[Collection(ProcessWideState.Name)]
public class AdapterTests
{
    [Fact]
    public void Adapters_are_merged_into_the_written_weights_and_stay_on_the_model()
    {
        using var model = Adapted("lora_end");
        using var plain = TestModels.Tiny();
        using var folder = new TemporaryFolder();
        OnnxExporter.Export(model, null, folder["export"]);

        using var session = LogitComparison.Open(folder["export"]);
        AssertSame(model, session);
        Assert.NotNull(model.Lora);
        Assert.True(LogitComparison.LargestDifference(plain, session, seed: 6, [0], 12) > 0.01, "the adapter changes nothing");
        Assert.False(File.Exists(folder["export/adapter.onnx_data"]));
    }

    [Theory]
    [InlineData(OnnxPrecision.Float32, false)]
    [InlineData(OnnxPrecision.Float32, true)]
    [InlineData(OnnxPrecision.Int4, false)]
    public void An_adapter_apart_is_exchanged_without_touching_the_base_model(OnnxPrecision precision, bool fused)
    {
        var options =
            new OnnxExportOptions { Precision = precision, FusedOperators = fused, SeparateAdapter = true, FileWithoutPast = true };
        using var first = Adapted("lora_end");
        using var second = Adapted("lora_start");
        using var folder = new TemporaryFolder();
        OnnxExporter.Export(first, null, folder["first"], options);
        OnnxExporter.Export(second, null, folder["second"], options);
        var model = File.ReadAllBytes(folder["first/model.onnx"]);
        Assert.Equal(model, File.ReadAllBytes(folder["second/model.onnx"]));
        Assert.InRange(new FileInfo(folder["first/adapter.onnx_data"]).Length, 1, 50_000);

        OnnxExporter.ReplaceAdapter(second, folder["first"]);

        Assert.Equal(model, File.ReadAllBytes(folder["first/model.onnx"]));
        Assert.Equal(File.ReadAllBytes(folder["second/adapter.onnx_data"]), File.ReadAllBytes(folder["first/adapter.onnx_data"]));
        if (precision == OnnxPrecision.Float32)
        {
            using var session = LogitComparison.Open(folder["first"]);
            AssertSame(second, session);
            using var withoutPast = LogitComparison.Open(folder["first"], OnnxExporter.WithoutPastFileName);
            AssertSame(second, withoutPast);
        }
    }

    [Fact]
    public void An_adapter_of_every_linear_layer_is_exported_apart()
    {
        using var model = TestModels.Random(json => { });
        Randomize(model, new LoraOptions { Rank = 3, Alpha = 5, RankStabilized = true, TargetModules = ["all-linear"] });
        using var folder = new TemporaryFolder();
        OnnxExporter.Export(model, null, folder["export"], new OnnxExportOptions { SeparateAdapter = true });
        using var session = LogitComparison.Open(folder["export"]);
        AssertSame(model, session);
    }

    [Fact]
    public void An_adapter_that_does_not_fit_is_refused()
    {
        using var model = Adapted("lora_end");
        using var other = TestModels.Tiny();
        LowRankAdaptation.Attach(other, new LoraOptions { Rank = 2 });
        using var wider = TestModels.Tiny();
        LowRankAdaptation.Attach(wider, new LoraOptions { Rank = 4, TargetModules = ["c_attn", "c_fc"] });
        using var plain = TestModels.Tiny();
        using var folder = new TemporaryFolder();
        OnnxExporter.Export(model, null, folder["export"], new OnnxExportOptions { SeparateAdapter = true, Check = false });
        OnnxExporter.Export(model, null, folder["merged"], new OnnxExportOptions { Check = false });
        var before = File.ReadAllBytes(folder["export/adapter.onnx_data"]);

        Assert.Contains("[2, 64]", Assert.Throws<ArgumentException>(() => OnnxExporter.ReplaceAdapter(other, folder["export"])).Message,
            StringComparison.Ordinal);
        Assert.Contains("c_fc", Assert.Throws<ArgumentException>(() => OnnxExporter.ReplaceAdapter(wider, folder["export"])).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => OnnxExporter.ReplaceAdapter(plain, folder["export"]));
        Assert.Contains("SeparateAdapter",
            Assert.Throws<InvalidDataException>(() => OnnxExporter.ReplaceAdapter(model, folder["merged"])).Message,
            StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => OnnxExporter.ReplaceAdapter(model, folder["nowhere"]));
        File.WriteAllText(folder["merged/model.onnx"], "no protobuf");
        Assert.Throws<InvalidDataException>(() => OnnxExporter.ReplaceAdapter(model, folder["merged"]));
        Assert.Equal(before, File.ReadAllBytes(folder["export/adapter.onnx_data"]));
    }

    [Fact]
    public void An_adapter_that_ONNX_Runtime_does_not_open_replaces_none()
    {
        using var first = Adapted("lora_end");
        using var second = Adapted("lora_start");
        using var folder = new TemporaryFolder();
        OnnxExporter.Export(first, null, folder["export"], new OnnxExportOptions { SeparateAdapter = true });
        var before = File.ReadAllBytes(folder["export/adapter.onnx_data"]);
        var model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(folder["export/model.onnx"]));
        model.Graph.Node[0].OpType = "NoSuchOperator";
        File.WriteAllBytes(folder["export/model.onnx"], model.ToByteArray());

        var message = Assert.Throws<InvalidOperationException>(() => OnnxExporter.ReplaceAdapter(second, folder["export"])).Message;

        Assert.Contains("ONNX Runtime does not run the exported adapter", message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(folder["export/adapter.onnx_data"]));
    }

    private static void AssertSame(CausalLanguageModel model, Checking.OnnxModelSession session)
    {
        var difference = LogitComparison.LargestDifference(model, session, seed: 6, [0, 2], session.HasPast ? [9, 1, 2] : [12]);
        Assert.True(difference < 1e-4, $"worst difference {difference}");
    }

    private static CausalLanguageModel Adapted(string adapter)
    {
        var model = TestModels.Tiny();
        PeftAdapterFolder.Load(model, RepositoryFiles.Data($"gpt2-tiny/{adapter}"));
        return model;
    }

    private static void Randomize(CausalLanguageModel model, LoraOptions options)
    {
        using var gradients = TorchSharp.torch.no_grad();
        using var scope = TorchSharp.torch.NewDisposeScope();
        LowRankAdaptation.Attach(model, options);
        foreach (var (_, parameter) in model.TrainableParameters())
            TorchSharp.torch.nn.init.normal_(parameter, 0, 0.2);
    }
}
