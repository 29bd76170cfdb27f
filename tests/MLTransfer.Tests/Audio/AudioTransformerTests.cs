using MLTransfer.Tests.Persistence;
using MLTransfer.Torch.Sounds;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Xunit;

namespace MLTransfer.Tests.Audio;

public sealed class AudioTransformerTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Files_are_read_only_where_their_sounds_are_asked_for()
    {
        var rows = Tones.Write(_folder.Path, 3);
        rows[1].File = "";
        rows[2].File = "missing.wav";
        var source = new CountingDataView(_ml.Data.LoadFromEnumerable(rows));
        var loaded = _ml.Transforms.LoadAudio("Sound", _folder.Path, "File").Append(_ml.Transforms.ResampleAudio("Sound", 8000, 2))
            .Fit(source).Transform(source);

        Assert.Equal(0, source.RowsRead);
        Assert.Equal(WaveformDataViewType.Of(8000, 2), loaded.Schema["Sound"].Type);
        Assert.Equal(["0.wav", "", "missing.wav"], loaded.GetColumn<string>("File"));
        var sounds = new List<Waveform?>();
        var error = Assert.Throws<FileNotFoundException>(() => sounds.AddRange(loaded.GetColumn<Waveform?>("Sound").Take(2)
            .Concat(loaded.GetColumn<Waveform?>("Sound").Skip(2))));
        Assert.Contains("missing.wav", error.Message, StringComparison.Ordinal);
        Assert.Equal([2000, null], sounds.Select(sound => sound?.Frames));
        Assert.Equal(2, sounds[0]!.Channels);
    }

    [Fact]
    public void Columns_of_other_types_are_refused_before_data_is_read()
    {
        var source = new CountingDataView(_ml.Data.LoadFromEnumerable(Tones.Rows(2)));
        IEstimator<ITransformer>[] wrong =
        [
            _ml.Transforms.LoadAudio("A", null, "Sound"), _ml.Transforms.ResampleAudio("A", 8000, inputColumnName: "File"),
            _ml.Transforms.SaveAudio("A", _folder.Path, "Pitch"), _ml.Transforms.PlotAudio("A", "File"),
            _ml.Transforms.EncodeAudio("A", "File"), _ml.Transforms.DecodeAudio("A", "Sound"),
        ];

        foreach (var estimator in wrong)
        {
            Assert.Contains(
                "input column", Assert.Throws<ArgumentException>(() => estimator.Fit(source)).Message, StringComparison.Ordinal);
            Assert.Throws<ArgumentException>(() => estimator.GetOutputSchema(SchemaShape.Create(source.Schema)));
        }

        Assert.Contains(
            "'Nothing'",
            Assert.Throws<ArgumentException>(() => _ml.Transforms.PlotAudio("A", "Nothing").Fit(source)).Message,
            StringComparison.Ordinal);
        Assert.Equal(0, source.RowsRead);
    }

    [Fact]
    public void Arguments_out_of_range_are_refused_by_name()
    {
        AssertNames("sampleRate", () => _ml.Transforms.ResampleAudio("A", 0));
        AssertNames("sampleRate", () => _ml.Transforms.ResampleAudio("A", 1_000_000));
        AssertNames("channels", () => _ml.Transforms.ResampleAudio("A", 8000, 65));
        AssertNames("imageWidth", () => _ml.Transforms.PlotAudio("A", imageWidth: 10));
        AssertNames("longestSeconds", () => _ml.Transforms.LoadAudio("A", null, longestSeconds: 0));
        AssertNames("nowhere", () => _ml.Transforms.LoadAudio("A", Path.Combine(_folder.Path, "nowhere")));
        AssertNames("encoding", () => _ml.Transforms.SaveAudio("A", _folder.Path, encoding: (WaveEncoding)9));

        static void AssertNames(string name, Func<object> create) =>
            Assert.Contains(name, Assert.ThrowsAny<ArgumentException>(create).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_wrong_with_a_row_is_told_with_the_row()
    {
        var sounds = new[] { Tones.Create(200), new Waveform([0, float.NaN], 8000), Tones.Create(200, channels: 3) };
        var view = _ml.Data.LoadFromEnumerable(sounds.Select(sound => new SoundRow { Sound = sound }));

        AssertTold("Row 1", "frame 1", _ml.Transforms.ResampleAudio("Sound", 16000));
        AssertTold("Row 1", "frame 1", _ml.Transforms.SaveAudio("Sound", _folder.Path));
        AssertTold("Row 1", "frame 1", _ml.Transforms.PlotAudio("Sound"));
        AssertTold("Row 2", "3 channels cannot become 2", _ml.Transforms.ResampleAudio("Sound", 16000, 2), skip: 2);

        void AssertTold(string row, string what, AudioEstimator estimator, int skip = 0)
        {
            var rows = skip == 0 ? view : _ml.Data.SkipRows(view, skip);
            var result = estimator.Fit(rows).Transform(rows);
            var message = Assert.Throws<InvalidOperationException>(() => result.Preview(maxRows: 4)).Message;
            Assert.Contains(skip == 0 ? row : "Row 0", message, StringComparison.Ordinal);
            Assert.Contains("'Sound'", message, StringComparison.Ordinal);
            Assert.Contains(what, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Damaged_and_long_files_are_refused_by_name()
    {
        File.WriteAllText(Path.Combine(_folder.Path, "damaged.wav"), "RIFF----WAVEfmt ");
        var minute = new Waveform(new float[60 * 1000], 1000);
        WaveformFile.WritePieces(Path.Combine(_folder.Path, "hours.wav"), Enumerable.Repeat(minute, 180));

        foreach (var name in (string[])["damaged.wav", "hours.wav"])
        {
            var view = _ml.Data.LoadFromEnumerable([new SoundRow { File = name }]);
            var loaded = _ml.Transforms.LoadAudio("Sound", _folder.Path, "File").Fit(view).Transform(view);
            var error = Assert.Throws<InvalidDataException>(() => loaded.GetColumn<Waveform>("Sound").ToList());
            Assert.Contains(name, error.Message, StringComparison.Ordinal);
        }

        var hours = _ml.Data.LoadFromEnumerable([new SoundRow { File = "hours.wav" }]);
        var whole = _ml.Transforms.LoadAudio("Sound", _folder.Path, "File", longestSeconds: 11_000).Fit(hours).Transform(hours);
        Assert.Equal(180 * 60 * 1000, whole.GetColumn<Waveform>("Sound").Single().Frames);
    }

    [Fact]
    public void Saved_files_are_named_by_rows_whatever_the_order()
    {
        var rows = Tones.Rows(6);
        rows[4].Sound = null;
        var view = _ml.Data.ShuffleRows(_ml.Data.LoadFromEnumerable(rows), seed: 2);
        var saved = _ml.Transforms.SaveAudio("Name", Path.Combine(_folder.Path, "made"), "Sound", WaveEncoding.Float32).Fit(view)
            .Transform(view);

        foreach (var row in _ml.Data.CreateEnumerable<NamedRow>(saved, reuseRowObject: false))
        {
            if (row.Pitch == 240)
            {
                Assert.Equal("", row.Name);
                continue;
            }

            Assert.Equal($"00000{(row.Pitch - 200) / 10}.wav", row.Name);
            var sound = WaveformFile.Read(Path.Combine(_folder.Path, "made", row.Name!));
            Assert.Equal(Tones.Create(row.Pitch).Samples.ToArray(), sound.Samples.ToArray());
        }

        Assert.Equal(5, Directory.GetFiles(Path.Combine(_folder.Path, "made")).Length);
    }

    [Fact]
    public void Pictures_have_their_size_and_are_saved_as_png()
    {
        var view = _ml.Data.LoadFromEnumerable(Tones.Rows(2));
        var plotted = _ml.Transforms.PlotAudio("Picture", "Sound", 320, 200).Fit(view).Transform(view);

        Assert.Equal(new ImageDataViewType(200, 320), plotted.Schema["Picture"].Type);
        foreach (var picture in plotted.GetColumn<MLImage>("Picture"))
        {
            Assert.Equal((320, 200), (picture.Width, picture.Height));
            var path = Path.Combine(_folder.Path, "a.png");
            picture.Save(path);
            Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], File.ReadAllBytes(path)[..4]);
            picture.Dispose();
        }
    }

    [Fact]
    public async Task A_model_file_works_in_a_process_that_knows_only_ML_NET()
    {
        var made = Path.Combine(_folder.Path, "made");
        var view = _ml.Data.LoadFromEnumerable(Tones.Write(_folder.Path, 3)
            .Select(row => new Story { Opening = row.File }));
        using var model = _ml.Transforms.LoadAudio("Sound", _folder.Path, "Opening")
            .Append(_ml.Transforms.ResampleAudio("Sound", 8000))
            .Append(_ml.Transforms.EncodeAudio("Content", "Sound", WaveEncoding.Pcm24))
            .Append(_ml.Transforms.DecodeAudio("Decoded", "Content"))
            .Append(_ml.Transforms.PlotAudio("Picture", "Decoded", 200, 100))
            .Append(_ml.Transforms.SaveAudio("Name", made, "Decoded", WaveEncoding.Float32))
            .Fit(view);
        var zip = Path.Combine(_folder.Path, "model.zip");
        _ml.Model.Save(model, view.Schema, zip);
        var expected = model.Transform(view).GetColumn<Waveform>("Decoded").ToList();

        var (names, _) = await LoadingProcess.RunAsync(zip, "Name", ["0.wav", "1.wav", "2.wav"]);
        var pictures = await LoadingProcess.RunForPicturesAsync(zip, "Picture", ["0.wav", "1.wav", "2.wav"]);

        Assert.Equal(["000000.wav", "000001.wav", "000002.wav"], names);
        Assert.Equal(
            expected.Select(sound => sound.Samples.ToArray()),
            names.Select(name => WaveformFile.Read(Path.Combine(made, name)).Samples.ToArray()));
        Assert.Equal(
            model.Transform(view).GetColumn<MLImage>("Picture").Select(picture => picture.Pixels.ToArray()), pictures);
    }

    [Fact]
    public void Threads_and_prediction_engines_get_the_same_sounds()
    {
        var view = _ml.Data.LoadFromEnumerable(Tones.Rows(8));
        var model = _ml.Transforms.ResampleAudio("Sound", 11025).Fit(view);
        var converted = model.Transform(view);
        var expected = converted.GetColumn<Waveform>("Sound").Select(sound => sound.Samples.ToArray()).ToList();

        Parallel.For(0, 4, _ => Assert.Equal(expected, converted.GetColumn<Waveform>("Sound").Select(sound => sound.Samples.ToArray())));

        using var engine = _ml.Model.CreatePredictionEngine<SoundRow, SoundRow>(model);
        foreach (var (index, row) in Tones.Rows(8).Index())
            Assert.Equal(expected[index], engine.Predict(row).Sound!.Samples.ToArray());
    }

    private sealed class NamedRow
    {
        public string? Name { get; set; }

        public float Pitch { get; set; }
    }
}
