using MLTransfer.Tests.Audio;
using MLTransfer.Torch.Sounds;
using SkiaSharp;
using Xunit;

namespace MLTransfer.Tests.Pages;

internal sealed class AudioPageRun : PageRun
{
    public override string Page => "docs/audio.md";

    public override void Prepare(PageFolder folder)
    {
        folder.Copy(RepositoryFiles.Data("music/musicgen-small-tiny"), "music");
        Directory.CreateDirectory(folder["musicgen"]);
        foreach (var file in (string[])["config.json", "generation_config.json", "model.safetensors", "tokenizer.json"])
            File.Copy(Path.Combine(TinyAudio.Music, file), folder[$"musicgen/{file}"]);
        Directory.CreateDirectory(folder["tunes"]);
        foreach (var (index, tune) in TinyAudio.Tunes(8).Index())
        {
            WaveformFile.Write(folder[$"tunes/{index}.wav"], tune.Sound!);
            File.WriteAllText(folder[$"tunes/{index}.txt"], tune.Caption);
        }
    }

    public override void Check(PageFolder folder, IReadOnlyList<string> printed)
    {
        Assert.Equal(new Page(Page).Text.Split("```text\n")[1].Split("\n```")[0], printed[0]);
        using var picture = SKBitmap.Decode(folder["3.png"]);
        Assert.Equal((640, 320), (picture.Width, picture.Height));
        Assert.True(File.Exists(folder["reading.zip"]));
        Assert.Equal("8 steps, the loss fell: True", printed[1]);
        Assert.Equal([3200, 3200, 3200], Enumerable.Range(0, 3).Select(i => WaveformFile.Read(folder[$"made-{i}.wav"]).Frames));
        Assert.NotEqual(File.ReadAllBytes(folder["made-0.wav"]), File.ReadAllBytes(folder["made-1.wav"]));
        Assert.Equal(8, Directory.GetFiles(folder["run/codes"]).Length);
        Assert.Equal("00:00:00.5000000", printed[2]);
        Assert.Equal(8000, WaveformFile.Read(folder["long.wav"]).Frames);
        Assert.Matches("^[1-9][0-9]* ?% of codewords.*\n2 codebooks, 25 frames$", printed[3]);
        Assert.Equal(4000, WaveformFile.Read(folder["decoded.wav"]).Frames);
        Assert.True(File.Exists(folder["codec-run/run.html"]));
        Assert.Matches(
            "^perplexity [0-9.]+, of 4 codebooks\nFrechet distance [0-9.]+ over 4 sounds\n[0-9.]+ dB, real pitch (2[89]|30)[0-9] Hz$",
            printed[^1]);
    }
}
