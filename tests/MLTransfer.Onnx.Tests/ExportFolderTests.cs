using System.Diagnostics;
using System.Text.Json.Nodes;
using MLTransfer.Onnx.Checking;
using MLTransfer.Onnx.Schema;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Onnx.Tests;

/// <summary>What lies in an exported folder, and which folders an export may replace.</summary>
public class ExportFolderTests
{
    private static readonly string[] s_tokenizerFiles =
        ["merges.txt", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.json"];

    [Fact]
    public void The_folder_has_the_files_that_Optimum_and_transformers_js_look_for()
    {
        using var model = TestModels.Tiny();
        using var folder = new TemporaryFolder();
        var told = new List<OnnxExportedFile>();
        var files = OnnxExporter.Export(model, TestModels.TinyTokenizer(), folder["export"],
            new OnnxExportOptions
                { TransformersJsFiles = true, FileWithoutPast = true, Generation = new GenerationOptions { MaximumNewTokens = 9 } },
            new Report(told.Add));

        Assert.Equal(files, told);
        Assert.Equal(
            [("model.onnx", OnnxPrecision.Float32), ("model_without_past.onnx", OnnxPrecision.Float32),
                ("onnx/model.onnx", OnnxPrecision.Float32), ("onnx/model_quantized.onnx", OnnxPrecision.Int8)],
            files.Select(file => (file.Name, file.Precision)));
        Assert.All(files, file => Assert.Equal(new FileInfo(folder[$"export/{file.Name}"]).Length, file.ByteCount));
        Assert.Equal(
            new[] { "config.json", "generation_config.json", "model.onnx", "model_without_past.onnx", "onnx" }.Concat(s_tokenizerFiles)
                .Order(StringComparer.Ordinal),
            Directory.EnumerateFileSystemEntries(folder["export"]).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
        Assert.Equal(TestModels.TinyTokenizer().Encode("An example"), TextTokenizer.Load(folder["export"]).Encode("An example"));
        var configuration = JsonNode.Parse(File.ReadAllText(folder["export/config.json"]))!;
        Assert.Equal(("gpt2", "float32"), ((string)configuration["model_type"]!, (string)configuration["dtype"]!));
        var generation = GenerationOptions.FromPretrained(folder["export"]);
        Assert.Equal(9, generation.MaximumNewTokens);
        Assert.Equal([0], generation.EndOfSequenceIds!);
    }

    [Theory]
    [InlineData(OnnxPrecision.Float32, false)]
    [InlineData(OnnxPrecision.Float16, false)]
    [InlineData(OnnxPrecision.Int8, false)]
    [InlineData(OnnxPrecision.Int4, true)]
    public void Inputs_and_outputs_are_named_and_shaped_as_Optimum_does_it(OnnxPrecision precision, bool usesRuntimeOperators)
    {
        using var model = TestModels.Tiny();
        using var folder = new TemporaryFolder();
        OnnxExporter.Export(model, null, folder["export"], new OnnxExportOptions { Precision = precision });
        using var stream = File.OpenRead(folder["export/model.onnx"]);
        var file = ModelProto.Parser.ParseFrom(stream);

        var type = precision == OnnxPrecision.Float16 ? "float16" : "float";
        Assert.Equal(
            [
                "input_ids int64 batch_size,sequence_length",
                "attention_mask int64 batch_size,past_sequence_length + sequence_length",
                "position_ids int64 batch_size,sequence_length",
                $"past_key_values.0.key {type} batch_size,4,past_sequence_length,16",
                $"past_key_values.0.value {type} batch_size,4,past_sequence_length,16",
                $"past_key_values.1.key {type} batch_size,4,past_sequence_length,16",
                $"past_key_values.1.value {type} batch_size,4,past_sequence_length,16",
            ], file.Graph.Input.Select(Describe));
        Assert.Equal(
            [
                $"logits {type} batch_size,sequence_length,700",
                $"present.0.key {type} batch_size,4,past_sequence_length + sequence_length,16",
                $"present.0.value {type} batch_size,4,past_sequence_length + sequence_length,16",
                $"present.1.key {type} batch_size,4,past_sequence_length + sequence_length,16",
                $"present.1.value {type} batch_size,4,past_sequence_length + sequence_length,16",
            ], file.Graph.Output.Select(Describe));
        Assert.InRange(file.IrVersion, 8, 10); // ONNX Runtime 1.20 reads up to 10
        Assert.InRange(file.OpsetImport.Single(set => set.Domain.Length == 0).Version, 18, 21);
        Assert.Equal(usesRuntimeOperators, file.OpsetImport.Any(set => set.Domain == "com.microsoft"));
    }

    [Theory]
    [InlineData(OnnxPrecision.Float32, false)]
    [InlineData(OnnxPrecision.Int8, false)]
    [InlineData(OnnxPrecision.Int4, false)]
    [InlineData(OnnxPrecision.Float32, true)]
    public void Weights_of_a_large_model_lie_in_a_file_of_their_own(OnnxPrecision precision, bool separateAdapter)
    {
        using var model = TestModels.Tiny();
        if (separateAdapter)
            PeftAdapterFolder.Load(model, RepositoryFiles.Data("gpt2-tiny/lora_end"));
        using var folder = new TemporaryFolder();
        var file = OnnxExporter.Export(
            model, null, folder["export"],
            new OnnxExportOptions { Precision = precision, ExternalDataFrom = 0, SeparateAdapter = separateAdapter })[0];

        Assert.InRange(new FileInfo(folder["export/model.onnx"]).Length, 1, 70_000);
        Assert.True(File.Exists(folder["export/model.onnx_data"]));
        Assert.Equal(
            new FileInfo(folder["export/model.onnx"]).Length + new FileInfo(folder["export/model.onnx_data"]).Length, file.ByteCount);
        Assert.Equal(separateAdapter, File.Exists(folder["export/adapter.onnx_data"]));
        if (precision == OnnxPrecision.Float32)
        {
            using var session = LogitComparison.Open(folder["export"]);
            var difference = LogitComparison.LargestDifference(model, session, seed: 8, [0, 1], 7, 2);
            Assert.True(difference < 1e-4, $"worst difference {difference}");
        }
    }

    [Theory]
    [InlineData(OnnxPrecision.Float32, false)]
    [InlineData(OnnxPrecision.Float32, true)]
    [InlineData(OnnxPrecision.Float16, false)]
    [InlineData(OnnxPrecision.Int8, false)]
    [InlineData(OnnxPrecision.Int4, true)]
    public void The_ONNX_projects_checker_accepts_the_file(OnnxPrecision precision, bool externalData)
    {
        const string Python = "/usr/bin/python3";
        Assert.SkipUnless(
            File.Exists(Python)
                && Run(Python, "-c", "import onnx").ExitCode == 0, "python3-onnx is not installed: apt-get install python3-onnx.");
        // A checker of an older opset than the files' knows ReduceMax and Split of int8 files as they were.
        Assert.SkipWhen(
            precision == OnnxPrecision.Int8
                && Run(Python, "-c", "import onnx, sys; sys.exit(onnx.defs.onnx_opset_version() < 18)").ExitCode != 0,
            "python3-onnx knows operators of versions before 18 only.");
        using var model = TestModels.Tiny();
        using var folder = new TemporaryFolder();
        OnnxExporter.Export(model, null, folder["export"], new OnnxExportOptions
        {
            Precision = precision, FileWithoutPast = true, Check = false, ExternalDataFrom = externalData ? 0 : long.MaxValue,
        });
        foreach (var name in (string[])[OnnxExporter.ModelFileName, OnnxExporter.WithoutPastFileName])
        {
            var (exitCode, output) = Run(Python, "-c", "import onnx, sys; onnx.checker.check_model(sys.argv[1])", folder[$"export/{name}"]);
            Assert.True(exitCode == 0, output);
        }
    }

    [Fact]
    public void An_export_replaces_an_export()
    {
        using var model = TestModels.Tiny();
        using var folder = new TemporaryFolder();
        OnnxExporter.Export(
            model, TestModels.TinyTokenizer(), folder["export"], new OnnxExportOptions { TransformersJsFiles = true, Check = false });
        OnnxExporter.Export(model, null, folder["export"], new OnnxExportOptions { Check = false });
        Assert.Equal(
            ["config.json", "generation_config.json", "model.onnx"],
            Directory.EnumerateFileSystemEntries(folder["export"]).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("notes.txt", "no ONNX export")]
    [InlineData("config.json", "no ONNX export")]
    [InlineData("model.onnx,model.safetensors", "'model.safetensors'")]
    public void A_folder_with_other_contents_is_left_alone(string names, string message)
    {
        using var model = TestModels.Tiny();
        using var folder = new TemporaryFolder();
        foreach (var name in names.Split(','))
            File.WriteAllText(folder[name], "precious");

        var exception = Assert.Throws<IOException>(() => OnnxExporter.Export(model, null, folder.Path));

        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        Assert.Contains(folder.Path, exception.Message, StringComparison.Ordinal);
        Assert.All(names.Split(','), name => Assert.Equal("precious", File.ReadAllText(folder[name])));
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_reported_with_its_name()
    {
        using var model = TestModels.Tiny();
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["file"], "");
        Assert.Contains(folder["file"], Assert.Throws<IOException>(() => OnnxExporter.Export(model, null, folder["file"])).Message,
            StringComparison.Ordinal);
        Assert.Contains(folder["file/export"],
            Assert.Throws<IOException>(() => OnnxExporter.Export(model, null, folder["file/export"])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(long.MaxValue)]
    public void A_full_disk_leaves_the_export_before_and_nothing_else(long externalDataFrom)
    {
        using var model = TestModels.Tiny();
        using var folder = new TemporaryFolder();
        var disk = Directory.CreateDirectory(folder["disk"]).FullName;
        Assert.SkipUnless(
            Run("mount", "-t", "tmpfs", "-o", "size=900k", "tmpfs", disk).ExitCode == 0,
            "Mounting a small disk takes rights that this user lacks.");
        try
        {
            var export = Path.Combine(disk, "export");
            OnnxExporter.Export(model, null, export, new OnnxExportOptions { Check = false });
            var before = File.ReadAllBytes(Path.Combine(export, "model.onnx"));

            var exception = Assert.Throws<IOException>(
                () =>
                    OnnxExporter.Export(model, null, export, new OnnxExportOptions { Check = false, ExternalDataFrom = externalDataFrom }));

            Assert.Contains(export, exception.Message, StringComparison.Ordinal);
            Assert.Equal([export], Directory.GetFileSystemEntries(disk));
            Assert.Equal(before, File.ReadAllBytes(Path.Combine(export, "model.onnx")));
        }
        finally
        {
            Run("umount", disk);
        }
    }

    [Fact]
    public void A_file_that_computes_other_logits_is_refused()
    {
        using var model = TestModels.Tiny();
        using var other = TestModels.Tiny();
        TestModels.Fill(other, "transformer.h.1.mlp.c_fc.bias", 0.05);
        using var folder = new TemporaryFolder();
        OnnxExporter.Export(other, null, folder["export"]);

        var exception = Assert.Throws<InvalidOperationException>(
            () => ExportCheck.Compare(folder["export/model.onnx"], "model.onnx", model, OnnxPrecision.Float32));
        Assert.Contains("model.onnx (Float32) computes other logits", exception.Message, StringComparison.Ordinal);

        File.WriteAllText(folder["export/model.onnx"], "no protobuf");
        Assert.Contains("ONNX Runtime", Assert.Throws<InvalidOperationException>(
            () => ExportCheck.Compare(folder["export/model.onnx"], "model.onnx", model, OnnxPrecision.Float32)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_check_or_a_cancelled_export_leaves_nothing()
    {
        using var model = TestModels.Tiny();
        TestModels.Fill(model, "transformer.h.1.mlp.c_fc.bias", double.NaN);
        using var folder = new TemporaryFolder();
        Assert.Throws<InvalidOperationException>(() => OnnxExporter.Export(model, null, folder["export"]));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));

        using var cancellation = new CancellationTokenSource();
        var stop = new Report(_ => cancellation.Cancel());
        Assert.Throws<OperationCanceledException>(() => OnnxExporter.Export(
            model, null, folder["export"], new OnnxExportOptions { Check = false, FileWithoutPast = true }, stop, cancellation.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Options_that_do_not_go_together_are_refused_before_anything_is_written()
    {
        using var model = TestModels.Tiny();
        using var adapted = TestModels.Tiny();
        PeftAdapterFolder.Load(adapted, RepositoryFiles.Data("gpt2-tiny/lora_end"));
        using var folder = new TemporaryFolder();
        Refused("LoRA", () => OnnxExporter.Export(model, null, folder["export"], new OnnxExportOptions { SeparateAdapter = true }));
        Refused("TransformersJsFiles", () => OnnxExporter.Export(
            adapted, null, folder["export"], new OnnxExportOptions { SeparateAdapter = true, TransformersJsFiles = true }));
        Refused(
            "Precision", () => OnnxExporter.Export(model, null, folder["export"], new OnnxExportOptions { Precision = (OnnxPrecision)9 }));
        Refused("Temperature", () => OnnxExporter.Export(
            model, null, folder["export"],
            new OnnxExportOptions { Generation = new GenerationOptions { Sample = true, Temperature = -1 } }));
        Refused("tokens", () => OnnxExporter.Export(model, TextTokenizer.Load(MLTransfer.Models.TalesModel.Folder), folder["export"]));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));

        static void Refused(string word, Action export) =>
            Assert.Contains(word, Assert.ThrowsAny<ArgumentException>(export).Message, StringComparison.Ordinal);
    }

    private static string Describe(ValueInfoProto value)
    {
        var type = (TensorProto.Types.DataType)value.Type.TensorType.ElemType;
        var dimensions =
            value.Type.TensorType.Shape.Dim.Select(dimension => dimension.HasDimParam ? dimension.DimParam : $"{dimension.DimValue}");
        return $"{value.Name} {type.ToString().ToLowerInvariant()} {string.Join(',', dimensions)}";
    }

    private static (int ExitCode, string Output) Run(string program, params string[] arguments)
    {
        using var process =
            Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output.Result + error);
    }

    private sealed class Report(Action<OnnxExportedFile> action) : IProgress<OnnxExportedFile>
    {
        void IProgress<OnnxExportedFile>.Report(OnnxExportedFile value) => action(value);
    }
}
