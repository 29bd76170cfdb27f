using Google.Protobuf;
using MLTransfer.Onnx.Generation;
using MLTransfer.Onnx.Schema;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Onnx.Tests.Generation;

public sealed class OnnxLoadingTests(TinyExport tiny) : IClassFixture<TinyExport>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_missing_folder_is_named() =>
        AssertRefused<DirectoryNotFoundException>("nowhere", _folder["nowhere"]);

    [Theory]
    [InlineData("model.onnx")]
    [InlineData("config.json")]
    public void A_folder_that_is_not_an_export_is_refused_with_what_it_lacks(string file)
    {
        tiny.CopyTo(_folder["export"]);
        File.Delete(_folder["export/" + file]);
        AssertRefused<FileNotFoundException>("export", "is not an ONNX export", "has no " + file, _folder["export"]);
    }

    [Fact]
    public void A_folder_without_a_tokenizer_is_refused()
    {
        tiny.CopyTo(_folder["export"]);
        foreach (var file in (string[])["tokenizer.json", "vocab.json", "merges.txt"])
            File.Delete(_folder["export/" + file]);
        AssertRefused<FileNotFoundException>("export", "has no tokenizer");
    }

    [Theory]
    [InlineData("model.onnx")]
    [InlineData("config.json")]
    public void A_device_in_place_of_a_file_is_refused(string file)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Such files are a matter of Unix.");
        tiny.CopyTo(_folder["export"]);
        File.Delete(_folder["export/" + file]);
        File.CreateSymbolicLink(_folder["export/" + file], "/dev/zero");
        AssertRefused<InvalidDataException>("export", _folder["export/" + file], "a device or a pipe");
    }

    [Fact]
    public void A_file_that_is_no_graph_is_refused()
    {
        tiny.CopyTo(_folder["export"]);
        File.WriteAllText(_folder["export/model.onnx"], "no graph");
        AssertRefused<InvalidDataException>("export", _folder["export/model.onnx"], "cannot load");
        using (var stream = File.Create(_folder["export/model.onnx"]))
            stream.Write(File.ReadAllBytes(Path.Combine(tiny.Folder, "model.onnx")).AsSpan(0, 100_000));
        AssertRefused<InvalidDataException>("export", _folder["export/model.onnx"], "cannot load");
    }

    [Fact]
    public void A_graph_without_past_is_refused_with_the_inputs_it_has()
    {
        OnnxExporter.Export(tiny.Model, tiny.Tokenizer, _folder["export"], new OnnxExportOptions { FileWithoutPast = true, Check = false });
        var error = Assert.Throws<InvalidDataException>(
            () => OnnxTextGenerator.Load(_folder["export"], new OnnxRuntimeOptions { ModelFile = "model_without_past.onnx" }));
        Assert.Contains("no input 'past_key_values.0.key'", error.Message, StringComparison.Ordinal);
        Assert.Contains("'input_ids'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_input_of_another_rank_is_refused()
    {
        Change(graph => graph.Input.Single(input => input.Name == "past_key_values.0.value").Type.TensorType.Shape.Dim.RemoveAt(0));
        AssertRefused<InvalidDataException>("export");
    }

    [Fact]
    public void A_fixed_batch_is_refused_with_the_shape()
    {
        Change(graph =>
        {
            foreach (var value in graph.Input.Concat(graph.Output))
                value.Type.TensorType.Shape.Dim[0] = new TensorShapeProto.Types.Dimension { DimValue = 1 };
        });
        AssertRefused<InvalidDataException>("export", "input 'input_ids'", "[1, -1]", "[batch, length]");
    }

    [Fact]
    public void Logits_under_another_name_are_refused()
    {
        Change(graph =>
        {
            graph.Output.Single(output => output.Name == "logits").Name = "scores";
            var node = graph.Node.Single(n => n.Output.Contains("logits"));
            node.Output[node.Output.IndexOf("logits")] = "scores";
        });
        AssertRefused<InvalidDataException>("export", "no output 'logits'", "'scores'");
    }

    [Theory]
    [InlineData("\"vocab_size\": 700", "\"vocab_size\": 701", "701")]
    [InlineData("\"vocab_size\": 700", "\"vocab_size\": \"many\"", "vocab_size")]
    [InlineData("\"n_positions\": 64", "\"n_positions\": 0", "n_positions")]
    [InlineData("\"n_positions\": 64", "\"positions\": 64", "missing")]
    public void A_configuration_that_does_not_fit_is_refused(string old, string changed, string named)
    {
        tiny.CopyTo(_folder["export"]);
        var text = File.ReadAllText(_folder["export/config.json"]);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(_folder["export/config.json"], text.Replace(old, changed, StringComparison.Ordinal));
        AssertRefused<InvalidDataException>("export", "config.json", named);
    }

    [Fact]
    public void A_tokenizer_of_another_model_is_refused()
    {
        tiny.CopyTo(_folder["export"]);
        TextTokenizer.Load(MLTransfer.Models.TalesModel.Folder).Save(_folder["export"]);
        AssertRefused<InvalidDataException>("export", "tokens", "700");
    }

    [Theory]
    [InlineData("../model.onnx")]
    [InlineData("/model.onnx")]
    [InlineData("")]
    public void A_model_file_outside_of_the_folder_is_refused(string file)
    {
        var error =
            Assert.Throws<ArgumentException>(() => OnnxTextGenerator.Load(tiny.Folder, new OnnxRuntimeOptions { ModelFile = file }));
        Assert.Contains(nameof(OnnxRuntimeOptions.ModelFile), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_graph_that_fails_when_it_runs_is_named()
    {
        // config.json promises more positions than the graph's table has.
        tiny.CopyTo(_folder["export"]);
        File.WriteAllText(
            _folder["export/config.json"], File.ReadAllText(_folder["export/config.json"])
                .Replace("\"n_positions\": 64", "\"n_positions\": 640", StringComparison.Ordinal));
        using var generator = OnnxTextGenerator.Load(_folder["export"]);
        var error = Assert.Throws<InvalidOperationException>(() => generator.TokenGenerator.Generate([[.. Enumerable.Range(1, 100)]]));
        Assert.Contains(_folder["export/model.onnx"], error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_beside_the_graph_are_found_without_those_of_other_graphs()
    {
        tiny.CopyTo(_folder["export"]);
        foreach (var name in (string[])["model.onnx_data", "adapter.onnx_data", "other.onnx", "other.onnx_data", "model.onnx.data"])
            File.WriteAllText(_folder["export/" + name], "weights");
        var files = OnnxExportFiles.Find(_folder["export"], new OnnxRuntimeOptions());
        Assert.Equal(["model.onnx", "adapter.onnx_data", "model.onnx.data", "model.onnx_data"], files.Graph.Select(file => file.Name));
    }

    [Fact]
    public void A_graph_with_its_weights_in_another_file_generates()
    {
        OnnxExporter.Export(
            tiny.Model, tiny.Tokenizer, _folder["export"], new OnnxExportOptions { ExternalDataFrom = 1000, Check = false });
        using var generator = OnnxTextGenerator.Load(_folder["export"]);
        Assert.Equal(["model.onnx", "model.onnx_data"], generator.Files.Graph.Select(file => file.Name));
        Assert.Equal(tiny.Onnx.Generate("As our"), generator.Generate("As our"));
    }

    private void Change(Action<GraphProto> change)
    {
        tiny.CopyTo(_folder["export"]);
        var model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(_folder["export/model.onnx"]));
        change(model.Graph);
        File.WriteAllBytes(_folder["export/model.onnx"], model.ToByteArray());
    }

    private void AssertRefused<T>(string folder, params string[] named)
        where T : Exception
    {
        var error = Assert.Throws<T>(() => OnnxTextGenerator.Load(_folder[folder]));
        Assert.All(named, name => Assert.Contains(name, error.Message, StringComparison.Ordinal));
    }
}
