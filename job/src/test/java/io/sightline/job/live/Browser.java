// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.openqa.selenium.By;
import org.openqa.selenium.NoSuchElementException;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.Rectangle;
import org.openqa.selenium.StaleElementReferenceException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.support.ui.WebDriverWait;

/** A real Chromium without a window, on a screen of which a CSS pixel is a pixel. */
final class Browser implements AutoCloseable {

    /** Generous: on a busy machine a browser starts slowly. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final ChromeDriver driver;

    private Browser(ChromeDriver driver) {
        this.driver = driver;
    }

    /**
     * Starts it. Where there is none the running tests are skipped and say so, unless the
     * environment names CI, which has to have one.
     *
     * @param downloads where it puts what the page saves
     */
    static Browser start(Path downloads) {
        Optional<File> chromium = onPath("chromium", "chromium-browser", "google-chrome");
        Optional<File> driver = onPath("chromedriver");
        if (chromium.isEmpty() || driver.isEmpty()) {
            String reason =
                    "no chromium and chromedriver on the PATH (Debian: chromium, chromium-driver)";
            assertThat(System.getenv("CI")).as(reason).isNull();
            System.out.println("skipped: " + reason);
            assumeTrue(false, reason);
        }
        ChromeOptions options = new ChromeOptions();
        options.setBinary(chromium.orElseThrow());
        options.addArguments(
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--force-device-scale-factor=1",
                "--hide-scrollbars",
                "--window-size=1280,900");
        options.setExperimentalOption(
                "prefs", Map.of("download.default_directory", downloads.toString()));
        ChromeDriverService service =
                new ChromeDriverService.Builder()
                        .usingDriverExecutable(driver.orElseThrow())
                        .usingAnyFreePort()
                        .build();
        return new Browser(new ChromeDriver(service, options));
    }

    private static Optional<File> onPath(String... names) {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .flatMap(folder -> Stream.of(names).map(name -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .map(Path::toFile)
                .findFirst();
    }

    void open(String url) {
        // Another fragment alone would load nothing.
        driver.get("about:blank");
        driver.get(url);
    }

    void reload() {
        driver.navigate().refresh();
    }

    String url() {
        return driver.getCurrentUrl();
    }

    /** The value of a script's {@code return}. */
    Object run(String script, Object... arguments) {
        return driver.executeScript(script, arguments);
    }

    List<WebElement> all(String selector) {
        return driver.findElements(By.cssSelector(selector));
    }

    /** The text in an element, whether or not the screen has room for it. */
    String text(String selector) {
        return one(selector).getDomProperty("textContent");
    }

    String attribute(String selector, String name) {
        return one(selector).getDomAttribute(name);
    }

    private WebElement one(String selector) {
        return driver.findElement(By.cssSelector(selector));
    }

    void click(String selector) {
        await("something to click at " + selector, () -> one(selector).isDisplayed());
        one(selector).click();
    }

    /** Presses keys one after the other, whatever has the focus. */
    void press(CharSequence... keys) {
        new Actions(driver).sendKeys(keys).perform();
    }

    /** Of an element on the page, in CSS pixels. */
    Rectangle place(String selector) {
        return one(selector).getRect();
    }

    /** What is to be seen. */
    BufferedImage screenshot() {
        try {
            return ImageIO.read(new ByteArrayInputStream(driver.getScreenshotAs(OutputType.BYTES)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Something that becomes true within a generous time. */
    interface Condition {
        boolean holds();
    }

    void await(String what, Condition condition) {
        awaitValue(what, () -> condition.holds() ? Boolean.TRUE : null);
    }

    /** Waits until there is a value, and returns it. */
    <T> T awaitValue(String what, Supplier<T> value) {
        return new WebDriverWait(driver, PATIENCE, Duration.ofMillis(50))
                .withMessage(what)
                .ignoreAll(
                        List.of(NoSuchElementException.class, StaleElementReferenceException.class))
                .until(ignored -> value.get());
    }

    @Override
    public void close() {
        driver.quit();
    }
}
