using TextToImage.Scenes;
using Xunit;

namespace MLTransfer.Torch.Tests.Samples;

/// <summary>The scenes of <c>samples/TextToImage</c> and what is seen in them: figures of models are measured by it.</summary>
public class SceneCheckerTests
{
    private const int Count = 80;

    public static TheoryData<string> Styles => ["day", "night"];

    [Theory]
    [MemberData(nameof(Styles))]
    public void What_is_seen_in_real_pictures_is_what_was_drawn(string style)
    {
        var (scenes, pictures) = Draw(StyleOf(style), Count);
        var reports = pictures.Select(SceneChecker.Check).ToList();
        var score = SceneScore.Of(scenes, reports);
        Assert.InRange(score.All, 0.97, 1);
        Assert.InRange(score.Colours, 0.97, 1);
        Assert.InRange(score.Shapes, 0.97, 1);
        Assert.InRange(score.Counts, 0.97, 1);
        Assert.InRange(score.Relation, 0.97, 1);
        Assert.All(reports.SelectMany(report => report.Shapes), shape => Assert.InRange(shape.Misfit, 0, 0.05));
    }

    [Theory]
    [MemberData(nameof(Styles))]
    public void What_is_seen_in_blurred_and_noisy_pictures_is_what_was_drawn(string style)
    {
        var (scenes, pictures) = Draw(StyleOf(style), Count);
        var random = new Random(1);
        var score = SceneScore.Of(scenes, [.. pictures.Select(picture => SceneChecker.Check(Blurred(picture, random)))]);
        Assert.InRange(score.All, 0.95, 1);
    }

    [Theory]
    [MemberData(nameof(Styles))]
    public void A_caption_that_differs_in_one_word_is_not_obeyed(string name)
    {
        var style = StyleOf(name);
        var random = new Random(5);
        foreach (var scene in Enumerable.Range(0, 20).Select(_ => Scene.Draw(style, random)).Where(scene => scene.Second is not null))
        {
            var seen = SceneChecker.Check(SceneComposer.Draw(scene, style, random)).Scene;
            Assert.Equal(scene, seen);
            var first = scene.First;
            foreach (var other in (Scene[])[
                scene with { First = first with { Count = first.Count % 3 + 1 } },
                scene with { First = first with { Colour = style.Colours.First(colour => colour != first.Colour) } },
                scene with { First = first with { Shape = style.Shapes.First(shape => shape != first.Shape) } },
                scene with { Relation = 1 - scene.Relation },
                new Scene(scene.Second!, scene.Relation, first), new Scene(first)])
            {
                Assert.NotEqual(other, seen);
            }
        }
    }

    [Fact]
    public void Styles_have_nothing_in_common_but_squares_and_their_colours_are_told_apart()
    {
        Assert.Equal([Shape.Square], SceneStyle.Day.Shapes.Intersect(SceneStyle.Night.Shapes));
        Assert.Empty(SceneStyle.Day.Colours.Intersect(SceneStyle.Night.Colours));
        foreach (var colour in SceneStyle.AllColours)
        {
            Assert.All(SceneStyle.AllColours.Where(other => other != colour), other =>
                Assert.InRange(colour.Colour.DistanceTo(other.Colour), 60, 442));
        }

        var random = new Random(2);
        Assert.All(Enumerable.Range(0, 300).Select(_ => Scene.Draw(SceneStyle.Day, random)), scene =>
            Assert.All(scene.Groups, group => Assert.DoesNotContain(group.Colour, SceneStyle.Night.Colours)));
    }

    [Fact]
    public void Nothing_is_seen_in_an_empty_picture_and_noise_is_no_scene()
    {
        var ground = ScenePicture.Render(SceneStyle.Day.Ground, []);
        Assert.Empty(SceneChecker.Check(ground).Shapes);
        Assert.Null(SceneChecker.Check(ground).Scene);
        var random = new Random(1);
        var noise = new byte[3 * ScenePicture.Side * ScenePicture.Side];
        random.NextBytes(noise);
        Assert.Null(SceneChecker.Check(new ScenePicture(noise)).Scene);
    }

    [Fact]
    public void Captions_say_what_there_is_in_several_ways_and_pictures_come_again_with_their_seed()
    {
        var (red, blue) = (SceneStyle.Day.Colours[0], SceneStyle.Day.Colours[2]);
        var scene = new Scene(new(2, red, Shape.Circle), Relation.LeftOf, new(1, blue, Shape.Square));
        Assert.Equal("two red circles left of a blue square", SceneCaptions.Full(scene));
        Assert.Equal("an orange ring", SceneCaptions.Full(new Scene(new(1, SceneStyle.Night.Colours[0], Shape.Ring))));
        Assert.Equal("three orange crosses", SceneCaptions.Full(new Scene(new(3, SceneStyle.Night.Colours[0], Shape.Cross))));
        var random = new Random(2);
        var captions = Enumerable.Range(0, 100).Select(_ => SceneCaptions.Draw(scene, random)).Distinct().Order().ToList();
        Assert.Equal(
            ["a blue square right of two red circles", "a blue square to the right of two red circles",
                "on the left two red circles, on the right a blue square", "two red circles left of a blue square",
                "two red circles to the left of a blue square"], captions);
        Assert.Equal(
            SceneComposer.Draw(scene, SceneStyle.Day, new Random(9)).Pixels,
            SceneComposer.Draw(scene, SceneStyle.Day, new Random(9)).Pixels);
        Assert.Equal(SceneComposer.DrawAny(new Random(4)).Pixels, SceneComposer.DrawAny(new Random(4)).Pixels);
    }

    private static SceneStyle StyleOf(string name) => name == "day" ? SceneStyle.Day : SceneStyle.Night;

    private static (List<Scene> Scenes, List<ScenePicture> Pictures) Draw(SceneStyle style, int count)
    {
        var random = new Random(7);
        var scenes = Enumerable.Range(0, count).Select(_ => Scene.Draw(style, random)).ToList();
        return (scenes, [.. scenes.Select(scene => SceneComposer.Draw(scene, style, random))]);
    }

    /// <summary>As a codec may leave a picture: each pixel is half of what it was and half of its neighbours, with noise.</summary>
    private static ScenePicture Blurred(ScenePicture picture, Random random)
    {
        const int side = ScenePicture.Side;
        var pixels = new byte[3 * side * side];
        for (var i = 0; i < pixels.Length; i++)
        {
            var (x, y, channel) = (i / 3 % side, i / 3 / side, i % 3);
            var around = At(x - 1, y) + At(x + 1, y) + At(x, y - 1) + At(x, y + 1);
            pixels[i] = (byte)Math.Clamp(0.5 * At(x, y) + around / 8 + 20 * (random.NextDouble() - 0.5), 0, 255);

            double At(int column, int row) =>
                picture.Pixels[3 * (Math.Clamp(row, 0, side - 1) * side + Math.Clamp(column, 0, side - 1)) + channel];
        }

        return new ScenePicture(pixels);
    }
}
