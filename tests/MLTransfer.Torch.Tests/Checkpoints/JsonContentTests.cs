using System.Text;
using System.Text.RegularExpressions;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training;
using Xunit;

namespace MLTransfer.Torch.Tests.Checkpoints;

/// <summary>What the JSON of every kind of file must not have in it.</summary>
public sealed class JsonContentTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> Kinds
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var file in (string[])[
                "config.json", "generation_config.json", "tokenizer.json", "vocab.json", "tokenizer_config.json", "adapter_config.json",
                "model.safetensors.index.json", "model.safetensors", "trainer_state.json"])
            {
                data.Add(file, """{"b":1,"a":1,"a":2}""");
                data.Add(file, """{"a":1,"\u0061":2}"""); // the same name
                data.Add(file, """{"a":{"b":[{"c":0,"c":0}]}}""");
                data.Add(file, """{"a\ud800":1}""");
                data.Add(file, """{"a":{"b":["\udc00x"]}}""");
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_name_that_occurs_twice_and_half_a_surrogate_pair_are_refused_with_the_name_of_the_file(string file, string json)
    {
        var path = file == "trainer_state.json" ? _folder["checkpoint-1/trainer_state.json"] : _folder[file];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var content = Encoding.UTF8.GetBytes(json);
        File.WriteAllBytes(path, file == "model.safetensors" ? [.. BitConverter.GetBytes((long)content.Length), .. content] : content);

        Action read = file switch
        {
            "config.json" => () => ModelConfigurationFile.Read(_folder.Path),
            "generation_config.json" => () => GenerationOptions.FromPretrained(_folder.Path),
            "tokenizer.json" => () => TextTokenizer.Load(_folder.Path),
            "vocab.json" or "tokenizer_config.json" => () =>
            {
                if (file != "vocab.json")
                    File.WriteAllText(_folder["vocab.json"], """{"a":0}""");
                File.WriteAllText(_folder["merges.txt"], "");
                TextTokenizer.Load(_folder.Path);
            },
            "adapter_config.json" => () =>
            {
                using var model = Training.TinyRun.LoadModel();
                PeftAdapterFolder.Load(model, _folder.Path);
            },
            "trainer_state.json" => () => SavedRun.Newest(_folder.Path)!.Resume("", _ => { }),
            _ => () => Checkpoint.Open(_folder.Path).Dispose(),
        };
        Assert.Contains(file, Assert.Throws<InvalidDataException>(read).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_description_of_layers_is_read_as_strictly()
    {
        foreach (var json in (string[])[
            """[{"type":"dense","Units":1,"Units":2,"Activation":"None"}]""", """[{"type":"flatten","Name":"\ud800"}]""",
            "[{\"type\":\"flatten\",\"Name\":\"\ud800\"}]", "[null]", "null", "[{}]"])
            Assert.Contains("description of the layers", Assert.Throws<InvalidDataException>(() => LayerJson.Read(json)).Message);
    }

    [Fact]
    public void Names_of_tensors_and_files_have_no_NUL()
    {
        const string entry = "{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}";
        Refused("model.safetensors", $$"""{"a\u0000b":{{entry}}}""");
        File.Delete(_folder["model.safetensors"]);
        Refused("model.safetensors.index.json", """{"weight_map":{"a\u0000":"model.safetensors"}}""");
        Refused("model.safetensors.index.json", """{"weight_map":{"a":"model\u0000.safetensors"}}""");
        File.Delete(_folder["model.safetensors.index.json"]);

        File.WriteAllBytes(_folder["pytorch_model.bin"], PyTorchZip.Stored([("x/data.pkl", []), ("x/da\0ta", [])]));
        Assert.Contains("NUL", Assert.Throws<InvalidDataException>(() => Checkpoint.Open(_folder.Path)).Message);

        void Refused(string file, string json)
        {
            var content = Encoding.UTF8.GetBytes(json);
            File.WriteAllBytes(
                _folder[file],
                file == "model.safetensors" ? [.. BitConverter.GetBytes((long)content.Length), .. content, 0, 0, 0, 0] : content);
            Assert.Contains(file, Assert.Throws<InvalidDataException>(() => Checkpoint.Open(_folder.Path)).Message);
        }
    }

    [Fact]
    public void JSON_is_parsed_in_one_place()
    {
        // The header of a safetensors file has a reader of its own: it is checked while it is read, as it may be of 100 MB.
        // The converters of HeightWidth and of columns of JSON are called by the reader that has checked what it reads.
        // Parameters of experiments become options by way of JSON that is in memory.
        string[] allowed =
        [
            "HeightWidth.cs", "JsonContent.cs", "JsonTextConverter.cs", "ParameterBinding.cs", "ParameterConverter.cs",
            "SafetensorsHeader.cs",
        ];
        var parsers = new Regex(@"Json(Document|Node|Element|Object|Array)\.Parse|JsonSerializer\.Deserialize|new Utf8JsonReader");

        var found = Directory.EnumerateFiles(Path.Combine(RepositoryFiles.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
                && parsers.IsMatch(File.ReadAllText(path)))
            .Select(Path.GetFileName).Order(StringComparer.Ordinal);

        Assert.Equal(allowed, found);
    }
}
